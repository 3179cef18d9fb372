import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Clock, systemClock } from './clock.ts';
import type { Locks } from './cluster/locks.port.ts';
import type { Membership, Owner } from './cluster/membership.port.ts';
import { createMemoryLocks } from './cluster/memory-locks.ts';
import { openRedisLocks } from './cluster/redis-locks.ts';
import { createRedisTurns } from './cluster/redis-turns.ts';
import { takeClusterSeat } from './cluster/seat.ts';
import { createSoloMembership } from './cluster/solo-membership.ts';
import { createStoredMembership } from './cluster/stored-membership.ts';
import type { ClusterUrls, Config } from './config.ts';
import { CastellanError, isErrorType } from './errors.ts';
import { createEventLog } from './events/event-log.ts';
import { createLog, type Log } from './log.ts';
import { createMessageTurns } from './messaging/message-turns.ts';
import { createRecordApplier } from './messaging/record-applier.ts';
import { createStoredMessages } from './messaging/stored-messages.ts';
import { createTrafficMeter } from './messaging/traffic-meter.ts';
import type { Runtime } from './runtime.ts';
import { baileysContentCodec } from './session/baileys/content-codec.ts';
import { createSessionCaches } from './session/baileys/session-caches.ts';
import { createOpenSocket, type SocketTimings } from './session/baileys/socket.ts';
import { createSessionStore } from './session/journal/session-store.ts';
import { type EmbeddedSecrets, embeddedSecrets } from './storage/embedded-keys.ts';
import { openMongoStore } from './storage/mongodb/mongo-store.ts';
import type { Store } from './storage/port.ts';
import { takeSeat } from './storage/seat.ts';
import { openSqliteStore } from './storage/sqlite/sqlite-store.ts';
import { createVault } from './storage/vault.ts';

const STORE_FILE = 'castellan.db';

export interface RuntimeOptions {
  clock?: Clock;
  log?: Log;
  /** puts something around the store, such as the latency of a slow one */
  wrapStore?(store: Store): Store;
  socketTimings?: Partial<SocketTimings>;
  /** how often followers of the event log look without being told, ms; default 1,000 */
  eventLookIntervalMs?: number;
}

/** What differs between one process and a cluster. */
interface Adapters {
  store: Store;
  locks: Locks;
  owner: Owner;
  membership: Membership;
  secrets: EmbeddedSecrets;
  /** Gives up what proves that this process is alone. */
  release(): void;
}

/** how long a start waits for stores that are starting too, ms */
const START_PATIENCE_MS = 60_000;
const START_RETRY_MS = 1_000;

/**
 * Chooses the adapters and puts one process together. The only place that knows which store and which locks there are.
 * @throws CONFIG_INVALID, STORE_UNAVAILABLE
 */
export async function createRuntime(config: Config, options: RuntimeOptions = {}): Promise<Runtime> {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? createLog(config.logLevel, { nodeId: config.nodeId });
  const { cluster } = config;
  const adapters = await (cluster ? openCluster(config, cluster, clock, log) : openEmbedded(config, clock));
  const { locks, owner, membership, secrets } = adapters;
  const store = options.wrapStore?.(adapters.store) ?? adapters.store;
  const vault = createVault(secrets.encryptionKey);
  const events = createEventLog({
    store,
    vault,
    clock,
    ...(options.eventLookIntervalMs !== undefined && { lookIntervalMs: options.eventLookIntervalMs }),
  });
  const traffic = createTrafficMeter(clock);
  const turns = createMessageTurns();
  const applier = createRecordApplier({ store, events, vault, clock, log, codec: baileysContentCodec, turns, traffic });
  const storedMessages = createStoredMessages({ store, vault });
  const failure = Promise.withResolvers<Error>();
  return {
    config,
    clock,
    log,
    store,
    locks,
    vault,
    events,
    owner,
    membership,
    sessions: createSessionStore({ store, vault, clock, log, applier }),
    openSocket: createOpenSocket({
      clock,
      log,
      websocketUrl: config.whatsapp.websocketUrl,
      rootPublicKey: config.whatsapp.rootPublicKey,
      binding: {
        clock,
        caches: createSessionCaches(clock),
        isStoredCiphertext: storedMessages.isStoredCiphertext,
      },
      loadOutgoing: storedMessages.loadOutgoing,
      ...(options.socketTimings ? { timings: options.socketTimings } : {}),
    }),
    applier,
    turns,
    traffic,
    admin: { key: secrets.adminApiKey, isNew: secrets.adminKeyIsNew },
    failed: failure.promise,
    fail: failure.resolve,
    async close() {
      await locks.close();
      await store.close();
      adapters.release();
    },
  };
}

/** One process, alone in its DATA_DIR by proof. */
async function openEmbedded(config: Config, clock: Clock): Promise<Adapters> {
  const seat = takeSeat(config.dataDir);
  try {
    const secrets = embeddedSecrets(config.dataDir, config);
    const store = await openSqliteStore({ path: join(config.dataDir, STORE_FILE) });
    const owner = { nodeId: config.nodeId, incarnation: randomUUID(), seat: null };
    return {
      store,
      locks: createMemoryLocks({ clock }),
      owner,
      membership: createSoloMembership({ owner, capacity: config.nodeCapacity, clock }),
      secrets,
      release: () => seat.release(),
    };
  } catch (error) {
    seat.release();
    throw error;
  }
}

/** One process of many: everything that counts is in the stores. */
async function openCluster(config: Config, urls: ClusterUrls, clock: Clock, log: Log): Promise<Adapters> {
  const locks = await patiently('Redis', log, () => openRedisLocks({ url: urls.redisUrl, log }));
  const turns = createRedisTurns({ url: urls.redisUrl });
  try {
    const incarnation = randomUUID();
    const store = await patiently('MongoDB', log, () =>
      openMongoStore({ url: urls.mongoUrl, processName: config.nodeId, turns }),
    );
    const runsSessions = config.services.includes('session-node');
    const seat = runsSessions ? takeClusterSeat(config, log) : { id: null, release() {} };
    const owner = { nodeId: config.nodeId, incarnation, seat: seat.id };
    const { timings, nodeCapacity: capacity } = config;
    return {
      store,
      locks,
      owner,
      membership: createStoredMembership({ store, clock, log, owner, capacity, timings }),
      secrets: clusterSecrets(config),
      release() {
        seat.release();
        turns.close();
      },
    };
  } catch (error) {
    turns.close();
    await locks.close();
    throw error;
  }
}

/** The configuration has seen to it that they are there. */
function clusterSecrets({ encryptionKey, adminApiKey }: Config): EmbeddedSecrets {
  if (!encryptionKey || !adminApiKey) throw new CastellanError('CONFIG_INVALID');
  return { encryptionKey, adminApiKey, adminKeyIsNew: false };
}

/** Stores and processes of a cluster start together, in any order. @throws STORE_UNAVAILABLE after a minute */
async function patiently<T>(what: string, log: Log, open: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + START_PATIENCE_MS;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!isErrorType(error, 'STORE_UNAVAILABLE') || performance.now() > deadline) throw error;
      log.warn({ cause: (error as Error).message }, `${what} cannot be reached yet`);
      await new Promise((resolve) => setTimeout(resolve, START_RETRY_MS));
    }
  }
}
