import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../lib/config.ts';
import { newConnectionRow } from '../../lib/connections/connection-row.ts';
import type { CastellanEvent, ConnectionStatus } from '../../lib/contracts/entities.ts';
import { createRuntime } from '../../lib/create-runtime.ts';
import { newId } from '../../lib/ids.ts';
import { type Log, silentLog } from '../../lib/log.ts';
import { createOutbox } from '../../lib/messaging/outbox.ts';
import type { Runtime } from '../../lib/runtime.ts';
import type { SocketTimings } from '../../lib/session/baileys/socket.ts';
import type { ConnectionManager, ManagerTimings } from '../../lib/session/connection-manager.port.ts';
import { createConnectionManager } from '../../lib/session/connection-manager.ts';
import { createSessionStore } from '../../lib/session/journal/session-store.ts';
import { authIdOf } from '../../lib/session/remote-auth.ts';
import type { ConnectionDoc, ConnectionHistoryDoc, RemoteAuthDoc, WorkerDoc } from '../../lib/storage/collections.ts';
import type { Store } from '../../lib/storage/port.ts';
import { importAccount } from '../../scripts/harness/import-account.ts';
import type { PreparedAccount } from '../../simulator/devices/prepare.ts';
import type { Simulator } from '../../simulator/index.ts';
import { eventually } from './eventually.ts';

export const TENANT = 'tenant-1';

export interface SessionNodeOptions {
  simulator: Pick<Simulator, 'url' | 'rootPublicKey'>;
  timings?: Partial<ManagerTimings>;
  socketTimings?: Partial<SocketTimings>;
  log?: Log;
  random?: () => number;
  /** puts a bad network between everything and the store */
  wrapStore?(store: Store): Store;
  /** how long the session state repeats what the store does not answer, ms */
  patienceMs?: number;
}

/** A session-node without the services around it: real store, real Baileys, and rows written as the API would. */
export interface SessionNode {
  runtime: Runtime;
  manager: ConnectionManager;
  /** A row, as created through the API. */
  add(row?: Partial<ConnectionDoc>): Promise<string>;
  /** A row whose session is the companion of a prepared account, as after an import. */
  addPaired(account: PreparedAccount, row?: Partial<ConnectionDoc>): Promise<string>;
  row(connectionId: string): Promise<ConnectionDoc>;
  /** What a person asks for through the API: `change` with the next generation. */
  ask(connectionId: string, change?: Partial<ConnectionDoc>): Promise<void>;
  untilStatus(connectionId: string, status: ConnectionStatus, timeoutMs?: number): Promise<ConnectionDoc>;
  history(connectionId: string): Promise<ConnectionHistoryDoc[]>;
  events(connectionId: string): Promise<CastellanEvent[]>;
  auth(connectionId: string): Promise<(Omit<RemoteAuthDoc, 'code'> & { code: string | null }) | null>;
  liveWorkers(connectionId: string): Promise<WorkerDoc[]>;
  /** Ends the process's part without ceremony and starts anew on the same data, as after a crash. */
  restart(how: 'drained' | 'killed'): Promise<void>;
  stop(): Promise<void>;
}

export async function startSessionNode(options: SessionNodeOptions): Promise<SessionNode> {
  const dataDir = await mkdtemp(join(tmpdir(), 'castellan-node-'));
  const { simulator } = options;
  const config = loadConfig({
    DATA_DIR: dataDir,
    NODE_ID: 'node-1',
    WA_WEBSOCKET_URL: simulator.url,
    WA_ROOT_PUBLIC_KEY: simulator.rootPublicKey,
  });
  const log = options.log ?? silentLog;

  async function boot() {
    const { socketTimings = {}, patienceMs, wrapStore } = options;
    const runtime = await createRuntime(config, { log, socketTimings, ...(wrapStore && { wrapStore }) });
    if (patienceMs !== undefined) runtime.sessions = createSessionStore({ ...runtime, patienceMs });
    const manager = createConnectionManager({
      ...runtime,
      createOutbox: (outbox) => createOutbox({ ...runtime, ...outbox }),
      timings: { ...FAST, ...options.timings },
      ...(options.random && { random: options.random }),
    });
    manager.start();
    return { runtime, manager };
  }

  const rowsOf = () => node.runtime.store.collection<ConnectionDoc>('connections');
  const found = async (connectionId: string) => {
    const row = await rowsOf().findOne({ _id: connectionId });
    if (!row) throw new Error(`no row ${connectionId}`);
    return row;
  };

  const node: SessionNode = {
    ...(await boot()),
    async add(row = {}) {
      const doc = newRow(row);
      await rowsOf().insertOne(doc);
      await node.manager.wake(doc._id);
      return doc._id;
    },
    async addPaired(account, row = {}) {
      const doc = newRow(row);
      await importAccount(node.runtime, { connectionId: doc._id, userId: TENANT }, account);
      return node.add(doc);
    },
    row: found,
    async ask(connectionId, change = {}) {
      const $set = { ...change, updatedAt: Date.now() };
      await rowsOf().updateOne({ _id: connectionId }, { $set, $inc: { generation: 1 } });
      await node.manager.wake(connectionId);
    },
    untilStatus: (connectionId, status, timeoutMs = 10_000) =>
      eventually(
        async () => {
          const row = await found(connectionId);
          if (row.status !== status) throw new Error(`${row.status} (${row.statusReason}), wanted ${status}`);
          return row;
        },
        { timeoutMs },
      ),
    history: (connectionId) =>
      node.runtime.store.collection<ConnectionHistoryDoc>('connectionHistory').find(
        { connectionId },
        {
          sort: [
            ['at', 1],
            ['_id', 1],
          ],
        },
      ),
    async events(connectionId) {
      const { items } = await node.runtime.events.read({ connectionId, limit: 200 });
      return items.map(({ event }) => event);
    },
    async auth(connectionId) {
      const { store, vault } = node.runtime;
      const doc = await store.collection<RemoteAuthDoc>('remoteAuths').findOne({ _id: authIdOf(connectionId) });
      return doc && { ...doc, code: doc.code && vault.open(doc.code, doc._id).toString('utf8') };
    },
    liveWorkers: (connectionId) =>
      node.runtime.store.collection<WorkerDoc>('workers').find({ connectionId, status: 'live' }),
    async restart(how) {
      if (how === 'drained') await node.manager.drain();
      else await node.manager.abandon();
      await node.runtime.close();
      Object.assign(node, await boot());
    },
    async stop() {
      await node.manager.drain();
      await node.runtime.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return node;
}

/** Everything that a test would wait for otherwise; what is measured in seconds elsewhere. */
const FAST: Partial<ManagerTimings> = {
  backoffBaseMs: 20,
  backoffCapMs: 100,
  unavailableBaseMs: 50,
  conflictRetryMs: 100,
  canaryDelayMs: 100,
  drainGraceMs: 500,
  logoutTimeoutMs: 1_000,
  reconcileIntervalMs: 50,
  cooldownMs: 100,
};

function newRow(row: Partial<ConnectionDoc>): ConnectionDoc {
  return { ...newConnectionRow(newId('connection'), TENANT, {}, Date.now()), ...row };
}
