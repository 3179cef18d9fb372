import { DatabaseSync } from 'node:sqlite';
import { CastellanError } from '../../errors.ts';
import { COLLECTIONS } from '../collections.ts';
import { badRequest, parsePath } from '../field-path.ts';
import { parseFilter, parseOptions } from '../filter-syntax.ts';
import type { Collection, CollectionSpec, Doc, Filter, FindOptions, Store, Update, Write } from '../port.ts';
import { parseUpdate } from '../update-document.ts';
import { createCounters } from './counters.ts';
import { createGroupCommit, type GroupCommit } from './group-commit.ts';
import { createSchema } from './schema.ts';
import { createStatementCache, createTable, type Table } from './table.ts';

export interface SqliteStoreOptions {
  /** of the database file; its directory exists */
  path: string;
  collections?: readonly CollectionSpec[];
}

/** Waiting blocks the whole process; only a tool that writes to the file could make it wait at all. */
const BUSY_TIMEOUT_MS = 250;
const CACHE_KIB = 32 * 1024;
const CHECKPOINT_PAGES = 4000;
const ONE = parseOptions({ limit: 1 });
const ALL = parseOptions({});

function openDatabase(path: string, collections: readonly CollectionSpec[]): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
      PRAGMA journal_size_limit = ${64 * 1024 * 1024};
      PRAGMA temp_store = MEMORY;
    `);
    createSchema(db, collections);
    return db;
  } catch (cause) {
    db?.close();
    if (cause instanceof CastellanError) throw cause;
    throw new CastellanError('STORE_UNAVAILABLE', `The store at ${path} cannot be opened.`, undefined, { cause });
  }
}

/** All of the writes or, by the savepoint they run in, none. */
function runGroup(writes: readonly Write[], tableOf: (name: string) => Table): void {
  for (const [index, write] of writes.entries()) {
    const expect = write.op === 'insert' ? 'any' : (write.expect ?? (write.op === 'update' ? 1 : 'any'));
    const matched = runWrite(write, tableOf(write.collection));
    if (expect !== 'any' && matched !== expect) throw new CastellanError('CONDITION_FAILED', undefined, { index });
  }
}

function runWrite(write: Write, table: Table): number {
  if (write.op === 'insert') {
    table.insert(write.doc);
    return 1;
  }
  const filter = parseFilter(write.filter);
  if (write.op === 'delete') return table.remove(filter, ALL);
  if (write.op !== 'update') throw badRequest('A write is an insert, an update or a delete.');
  const update = parseUpdate(write.update);
  const matched = table.update(filter, ALL, update).length;
  if (matched > 0 || !write.upsert) return matched;
  table.upsert(filter, update);
  return 1;
}

function collectionOf<T extends Doc>(table: Table, { read, write }: GroupCommit): Collection<T> {
  const select = (filter: Filter, options: FindOptions) =>
    table.select(parseFilter(filter), parseOptions(options)) as T[];

  function updateOne(filter: Filter, update: Update, upsert: boolean, options = ONE) {
    const checked = parseFilter(filter);
    const changes = parseUpdate(update);
    const [found] = table.update(checked, options, changes);
    if (found || !upsert)
      return { before: () => found?.before() ?? null, after: found?.after ?? null, inserted: false };
    return { before: () => null, after: table.upsert(checked, changes), inserted: true };
  }

  return {
    insertOne: (doc) => write(() => table.insert(doc)),
    insertMany: (docs) => write(() => docs.map((doc) => (table.tryInsert(doc) ? 'inserted' : 'duplicate'))),
    findOne: (filter, options = {}) => read(() => select(filter, { ...options, limit: 1 })[0] ?? null),
    find: (filter, options = {}) => read(() => select(filter, options)),
    count: (filter) => read(() => table.count(parseFilter(filter))),
    updateOne: (filter, update, options = {}) =>
      write(() => {
        const { after, inserted } = updateOne(filter, update, options.upsert ?? false);
        return { matched: after ? 1 : 0, inserted };
      }),
    updateMany: (filter, update) => write(() => table.update(parseFilter(filter), ALL, parseUpdate(update)).length),
    findOneAndUpdate: (filter, update, options = {}) =>
      write(() => {
        const checked = parseOptions({ limit: 1, ...(options.sort ? { sort: options.sort } : {}) });
        const { before, after } = updateOne(filter, update, options.upsert ?? false, checked);
        return (options.returnBefore ? before() : after) as T | null;
      }),
    deleteOne: (filter) => write(() => table.remove(parseFilter(filter), ONE)),
    deleteMany: (filter) => write(() => table.remove(parseFilter(filter), ALL)),
    replaceIfNewer: (docs, field) =>
      write(() => {
        const path = parsePath(field);
        for (const doc of docs) table.replaceIfNewer(doc, path);
      }),
  };
}

/**
 * The embedded store: one file, WAL, `synchronous = FULL`. Everything that it has answered survives `kill -9` and a loss
 * of power.
 *
 * @throws STORE_UNAVAILABLE when the file cannot be opened, CONFIG_INVALID when a newer version wrote it
 */
export async function openSqliteStore({ path, collections = COLLECTIONS }: SqliteStoreOptions): Promise<Store> {
  const db = openDatabase(path, collections);
  const prepare = createStatementCache(db);
  const counters = createCounters(prepare);
  const group = createGroupCommit(db, counters);
  const tables = new Map(collections.map((spec) => [spec.name, createTable(spec, prepare, counters)]));

  function tableOf(name: string): Table {
    const table = tables.get(name);
    if (!table) throw badRequest(`There is no collection ${name}.`);
    return table;
  }

  return {
    collection: <T extends Doc>(name: string) => collectionOf<T>(tableOf(name), group),
    atomically: (writes) => group.write(() => runGroup(writes, tableOf)),
    ping: () => group.read(() => void prepare('SELECT 1').get()),
    async close() {
      group.close();
      if (db.isOpen) db.close();
    },
  };
}
