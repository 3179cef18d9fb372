import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient, type MongoClientOptions } from 'mongodb';
import { CastellanError } from '../../errors.ts';
import { createKeyedOrder } from '../../keyed-order.ts';
import type { AppendTurns } from '../append-turns.port.ts';
import { COLLECTIONS } from '../collections.ts';
import { badRequest } from '../field-path.ts';
import { indexedFields } from '../indexed-fields.ts';
import type { CollectionSpec, Doc, Store } from '../port.ts';
import { COUNTERS } from './append-numbers.ts';
import { createGroupQueue } from './group-queue.ts';
import { createGroupRunner } from './group-runner.ts';
import { createSchema } from './indexes.ts';
import { mongoCollection } from './mongo-collection.ts';
import { type Intent, storeUnavailable, toStoreError } from './mongo-errors.ts';
import { inTransaction } from './transaction.ts';
import { registerTransactionOwner, TRANSACTION_OWNERS, type TransactionOwner } from './transaction-owners.ts';
import { compileGroup, type TableSpec, type WriteGroup } from './write-group.ts';

export interface MongoStoreOptions {
  /** `mongodb://` or `mongodb+srv://`; the database of its path, default `castellan` */
  url: string;
  collections?: readonly CollectionSpec[];
  /** of the process: what its former self left open is ended at the start; default one that nobody had */
  processName?: string;
  /** how long a server that holds the connection may leave a command unanswered, ms; default 10,000 */
  socketTimeoutMs?: number;
  /** whose turn it is to append; without it everybody tries */
  turns?: AppendTurns;
}

/** between two transactions of this process that append; without a turn also so many times as long as the last one took */
const APPEND_PAUSE_MS = 20;
const APPEND_PAUSE_OF_LAST = 1.5;
const DEFAULT_DATABASE = 'castellan';
const SELECTION_TIMEOUT_MS = 2_000;
/**
 * The driver asks the server beside the work whether it is there. One that holds its connections and says nothing (it was
 * paused, or cut off) is found out after these two together, and what waits for it is given up then.
 */
const MONITOR_INTERVAL_MS = 2_000;
/** for a new connection and the monitor's question; nobody's work waits that long for it. Well above a slow server's 2 s */
const CONNECT_TIMEOUT_MS = 4_000;
const DEFAULT_SOCKET_TIMEOUT_MS = 10_000;
/** below the socket's, so that a majority that does not answer is told apart from a server that does not */
const MAJORITY_TIMEOUT_MS = 8_000;
const CLOSE_PATIENCE_MS = 5_000;

const CLIENT_OPTIONS: MongoClientOptions = {
  appName: 'castellan',
  serverSelectionTimeoutMS: SELECTION_TIMEOUT_MS,
  waitQueueTimeoutMS: SELECTION_TIMEOUT_MS,
  connectTimeoutMS: CONNECT_TIMEOUT_MS,
  heartbeatFrequencyMS: MONITOR_INTERVAL_MS,
  readPreference: 'primary',
  readConcern: { level: 'majority' },
  writeConcern: { w: 'majority', journal: true, wtimeoutMS: MAJORITY_TIMEOUT_MS },
  promoteBuffers: true,
};

function connect(url: string, socketTimeoutMS: number): { client: MongoClient; database: string } {
  try {
    const client = new MongoClient(url, { ...CLIENT_OPTIONS, socketTimeoutMS });
    /* without a path the driver says `test` */
    const [, path] = /^mongodb(?:\+srv)?:\/\/[^/?]+\/([^?]*)/.exec(url) ?? [];
    return { client, database: path ? client.options.dbName : DEFAULT_DATABASE };
  } catch {
    /* the driver's message may quote the URL, and with it the password */
    throw new CastellanError('CONFIG_INVALID', 'MONGO_URL is not a MongoDB URL.');
  }
}

const appends = ({ writes }: WriteGroup): boolean =>
  writes.some(({ op, table }) => op === 'insert' && table.sequencePer !== null);

/** Transactions and majority need a replica set (of one member, if need be) or a sharded cluster. */
async function refuseStandalone(client: MongoClient): Promise<void> {
  const hello = await client.db('admin').command({ hello: 1 });
  if (hello.setName || hello.msg === 'isdbgrid') return;
  throw new CastellanError('CONFIG_INVALID', 'MONGO_URL names a standalone server: it must be a replica set.');
}

/**
 * The store of a cluster. Everything that it has answered is on a majority of the replica set and survives a failover.
 *
 * Of a write that ends with STORE_UNAVAILABLE it is not known whether it took effect (`data.outcome` says so): whoever
 * repeats it must be able to tell its own success from somebody else's.
 *
 * @throws STORE_UNAVAILABLE when nobody answers within 2 s, CONFIG_INVALID for a standalone server or a newer database
 */
export async function openMongoStore(options: MongoStoreOptions): Promise<Store> {
  const { url, collections = COLLECTIONS, socketTimeoutMs = DEFAULT_SOCKET_TIMEOUT_MS, turns } = options;
  const { client, database } = connect(url, socketTimeoutMs);
  const db = client.db(database);
  let owner: TransactionOwner;
  try {
    await client.connect();
    await refuseStandalone(client);
    await createSchema(db, collections, [COUNTERS, TRANSACTION_OWNERS]);
    owner = await registerTransactionOwner(client, db, options.processName ?? randomUUID());
  } catch (error) {
    await client.close().catch(() => undefined);
    throw toStoreError(error, database, 'read');
  }

  const tables = new Map<string, TableSpec>(
    collections.map((spec) => [
      spec.name,
      { name: spec.name, indexed: indexedFields(spec), sequencePer: spec.ordered?.sequencePer ?? null },
    ]),
  );
  const underWay = new Set<Promise<unknown>>();
  let closing: Promise<void> | null = null;

  function tableOf(name: string): TableSpec {
    const table = tables.get(name);
    if (!table) throw badRequest(`There is no collection ${name}.`);
    return table;
  }

  async function call<R>(collection: string, intent: Intent, run: () => Promise<R>): Promise<R> {
    if (closing) throw storeUnavailable('read', 'closed');
    const running = run();
    underWay.add(running);
    try {
      return await running;
    } catch (error) {
      throw toStoreError(error, collection, intent);
    } finally {
      underWay.delete(running);
    }
  }

  let appendedAt = Number.NEGATIVE_INFINITY;
  let appendTookMs = 0;
  const order = createKeyedOrder();
  const runner = createGroupRunner(db);
  const queue = createGroupQueue({ order, begin: itsTurn, transact });

  async function transact(groups: readonly WriteGroup[]): Promise<void> {
    const [first, ...others] = groups;
    try {
      const { session } = owner;
      let beganAt = 0;
      await inTransaction(session, () => {
        beganAt = performance.now();
        return first && others.length === 0 ? runner.alone(session, first) : runner.together(session, groups);
      });
      if (!groups.some(appends)) return;
      appendedAt = performance.now();
      appendTookMs = appendedAt - beganAt;
    } catch (error) {
      /* of a commit it has been said already that its outcome is unknown; what failed before it was not applied */
      throw toStoreError(error, '', 'read');
    }
  }

  async function itsTurn(waiting: readonly WriteGroup[]): Promise<() => void> {
    if (!waiting.some(appends)) return () => undefined;
    await pauseSince(APPEND_PAUSE_MS);
    const turn = await turns?.take();
    if (!turn?.mine) await lettingOthersIn();
    return () => turn?.over();
  }

  /**
   * All processes append to one log, and who has just committed would be the first again: those that lost to it get a
   * moment to begin, a longer one where transactions take long.
   */
  const lettingOthersIn = () => pauseSince(APPEND_PAUSE_OF_LAST * appendTookMs);

  async function pauseSince(pauseMs: number): Promise<void> {
    const waitMs = appendedAt + pauseMs * (0.5 + Math.random()) - performance.now();
    if (waitMs > 0) await delay(waitMs);
  }

  async function atomically(group: WriteGroup): Promise<void> {
    if (group.writes.length > 0) await call('', 'write', () => queue.submit(group));
  }

  async function shutDown(): Promise<void> {
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, CLOSE_PATIENCE_MS);
    await Promise.race([Promise.allSettled(underWay), patience.promise]);
    clearTimeout(timer);
    await owner.close();
    await client.close().catch(() => undefined);
  }

  return {
    collection<T extends Doc>(name: string) {
      const table = tableOf(name);
      return mongoCollection<T>({
        table,
        driver: db.collection<Doc>(name),
        order,
        call,
        append: async (doc) => atomically(compileGroup([{ op: 'insert', collection: name, doc }], tableOf)),
      });
    },
    atomically: async (writes) => atomically(compileGroup(writes, tableOf)),
    ping: () => call('', 'read', async () => void (await db.command({ ping: 1 }))),
    close() {
      closing ??= shutDown();
      return closing;
    },
  };
}
