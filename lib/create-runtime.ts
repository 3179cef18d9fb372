import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Clock, systemClock } from './clock.ts';
import { createMemoryLocks } from './cluster/memory-locks.ts';
import type { Config } from './config.ts';
import { CastellanError } from './errors.ts';
import { createEventLog } from './events/event-log.ts';
import { createLog, type Log } from './log.ts';
import { createRecordApplier } from './messaging/record-applier.ts';
import { createStoredMessages } from './messaging/stored-messages.ts';
import { createTrafficMeter } from './messaging/traffic-meter.ts';
import type { Runtime } from './runtime.ts';
import { baileysContentCodec } from './session/baileys/content-codec.ts';
import { createSessionCaches } from './session/baileys/session-caches.ts';
import { createOpenSocket, type SocketTimings } from './session/baileys/socket.ts';
import { createSessionStore } from './session/journal/session-store.ts';
import { embeddedSecrets } from './storage/embedded-keys.ts';
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
}

/**
 * Chooses the adapters and puts one process together. The only place that knows which store and which locks there are.
 * @throws CONFIG_INVALID, STORE_UNAVAILABLE
 */
export async function createRuntime(config: Config, options: RuntimeOptions = {}): Promise<Runtime> {
  refuseCluster(config);
  const seat = takeSeat(config.dataDir);
  try {
    const secrets = embeddedSecrets(config.dataDir, config);
    const clock = options.clock ?? systemClock;
    const log = options.log ?? createLog(config.logLevel, { nodeId: config.nodeId });
    const opened = await openSqliteStore({ path: join(config.dataDir, STORE_FILE) });
    const store = options.wrapStore?.(opened) ?? opened;
    const locks = createMemoryLocks({ clock });
    const vault = createVault(secrets.encryptionKey);
    const events = createEventLog({ store, vault, clock });
    const traffic = createTrafficMeter(clock);
    const applier = createRecordApplier({ store, events, vault, clock, log, codec: baileysContentCodec, traffic });
    const storedMessages = createStoredMessages({ store, vault });
    return {
      config,
      clock,
      log,
      store,
      locks,
      vault,
      events,
      owner: { nodeId: config.nodeId, incarnation: randomUUID() },
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
      traffic,
      admin: { key: secrets.adminApiKey, isNew: secrets.adminKeyIsNew },
      async close() {
        await locks.close();
        await store.close();
        seat.release();
      },
    };
  } catch (error) {
    seat.release();
    throw error;
  }
}

/** What is not built must not look as if it were: several processes need the adapters of a cluster. */
function refuseCluster(config: Config): void {
  const named = [
    ['NATS_URL', config.natsUrl],
    ['REDIS_URL', config.redisUrl],
    ['MONGO_URL', config.mongoUrl],
  ].find(([, url]) => url !== null);
  if (named) {
    throw new CastellanError(
      'CONFIG_INVALID',
      `${named[0]} is set, but this version runs in one process only: unset it. The cluster is not there yet.`,
    );
  }
}
