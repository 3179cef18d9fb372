import { CastellanError, isErrorType } from '../../../lib/errors.ts';
import { COLLECTIONS } from '../../../lib/storage/collections.ts';
import { badRequest, getAt, isPlainObject, type PlainObject, parsePath } from '../../../lib/storage/field-path.ts';
import {
  type CheckedFilter,
  type CheckedOptions,
  parseFilter,
  parseOptions,
} from '../../../lib/storage/filter-syntax.ts';
import type {
  Collection,
  CollectionSpec,
  Doc,
  Filter,
  FindOptions,
  Store,
  Update,
  Write,
} from '../../../lib/storage/port.ts';
import {
  applyUpdate,
  type CheckedUpdate,
  documentForUpsert,
  parseUpdate,
} from '../../../lib/storage/update-document.ts';
import { copyIn, copyOut } from './memory-documents.ts';
import { emptyTable, find, place, refuseDuplicates, type Table } from './memory-table.ts';

/** One document before and after a write; null = there was none, there is none. */
export interface DocumentChange {
  collection: string;
  before: PlainObject | null;
  after: PlainObject | null;
}

/**
 * A document store in memory, held to the port by the same conformance suite as the real adapters: a schedule makes a few
 * thousand calls, and ten thousand schedules have to end within minutes.
 */
export interface MemoryStore extends Store {
  /** Told of every change that took effect, in order. */
  onChange: ((change: DocumentChange) => void) | null;
  /** After a close: the data are still there. */
  reopen(): void;
  /** Empties it. */
  clear(): void;
}

const ONE = parseOptions({ limit: 1 });
const ALL = parseOptions({});

export function createMemoryStore(collections: readonly CollectionSpec[] = COLLECTIONS): MemoryStore {
  const tables = new Map(collections.map((spec) => [spec.name, emptyTable(spec)]));
  let closed = false;
  let undo: (() => void)[] = [];
  let changes: DocumentChange[] = [];

  /** All of it or nothing. */
  function atomic<R>(run: () => R): R {
    refuseClosed();
    undo = [];
    changes = [];
    try {
      const result = run();
      if (store.onChange) for (const change of changes) store.onChange(change);
      return result;
    } catch (error) {
      rollBack(0);
      throw error;
    }
  }

  function refuseClosed(): void {
    if (closed) throw new CastellanError('STORE_UNAVAILABLE');
  }

  function rollBack(mark: number): void {
    for (const step of undo.splice(mark).reverse()) step();
    changes.length = Math.min(changes.length, mark);
  }

  function tableOf(name: string): Table {
    const table = tables.get(name);
    if (!table) throw badRequest(`There is no collection ${name}.`);
    return table;
  }

  /** Puts a document in the place of another one (null = none), with its unique keys. */
  function put(table: Table, before: PlainObject | null, after: PlainObject | null): void {
    if (after) refuseDuplicates(table, after, before === null);
    const id = (after ?? before)?._id as string;
    place(table, before, after, id);
    undo.push(() => place(table, after, before, id));
    changes.push({ collection: table.spec.name, before, after });
  }

  function insert(table: Table, given: unknown): PlainObject {
    if (!isPlainObject(given)) throw badRequest('A document is an object.');
    const doc = copyIn(given) as PlainObject;
    if (typeof doc._id !== 'string' || doc._id === '') throw badRequest('A document needs an _id, a string.');
    table.indexed.check(doc);
    put(table, null, numbered(table, doc));
    return doc;
  }

  function numbered(table: Table, doc: PlainObject): PlainObject {
    const { ordered } = table.spec;
    if (!ordered) return doc;
    const group = getAt(doc, [ordered.sequencePer]) ?? null;
    const before = { position: table.position, seq: group === null ? 0 : (table.sequences.get(String(group)) ?? 0) };
    table.position += 1;
    if (group !== null) table.sequences.set(String(group), before.seq + 1);
    const numbers = { position: table.position, seq: group === null ? 0 : before.seq + 1 };
    undo.push(() => {
      table.position = before.position;
      if (group !== null) table.sequences.set(String(group), before.seq);
    });
    /* one undo step a change, so that marks count both */
    changes.push({ collection: table.spec.name, before: null, after: null });
    return { ...doc, ...numbers };
  }

  function tryInsert(table: Table, doc: unknown): 'inserted' | 'duplicate' {
    const mark = undo.length;
    try {
      insert(table, doc);
      return 'inserted';
    } catch (error) {
      if (!isErrorType(error, 'DUPLICATE_KEY')) throw error;
      rollBack(mark);
      return 'duplicate';
    }
  }

  function update(table: Table, filter: CheckedFilter, options: CheckedOptions, changed: CheckedUpdate) {
    return find(table, filter, options).map((before) => {
      const after = copyOut(before);
      applyUpdate(after, changed);
      table.indexed.check(after);
      put(table, before, after);
      return { before, after };
    });
  }

  function updateOne(table: Table, filter: Filter, given: Update, upsert = false, options = ONE) {
    const checked = parseFilter(filter);
    const changed = checkedUpdate(given);
    const [found] = update(table, checked, options, changed);
    if (found || !upsert) return { before: found?.before ?? null, after: found?.after ?? null, inserted: false };
    return { before: null, after: insert(table, documentForUpsert(checked, changed)), inserted: true };
  }

  function remove(table: Table, filter: Filter, options: CheckedOptions): number {
    const found = find(table, parseFilter(filter), options);
    for (const doc of found) put(table, doc, null);
    return found.length;
  }

  function replaceIfNewer(table: Table, doc: Doc, field: string[]): void {
    if (table.spec.ordered) throw badRequest('An ordered collection is only appended to.');
    const value = getAt(doc, field);
    if (typeof value !== 'number') throw badRequest(`${field.join('.')} must be a number.`);
    const before = table.docs.get(doc._id);
    const held = before && getAt(before, field);
    if (before && typeof held === 'number' && held >= value) return;
    if (before) put(table, before, copyIn(doc) as PlainObject);
    else insert(table, doc);
  }

  function runWrite(write: Write): number {
    const table = tableOf(write.collection);
    if (write.op === 'insert') {
      insert(table, write.doc);
      return 1;
    }
    if (write.op === 'delete') return remove(table, write.filter, ALL);
    if (write.op !== 'update') throw badRequest('A write is an insert, an update or a delete.');
    const checked = parseFilter(write.filter);
    const changed = checkedUpdate(write.update);
    const matched = update(table, checked, ALL, changed).length;
    if (matched > 0 || !write.upsert) return matched;
    insert(table, documentForUpsert(checked, changed));
    return 1;
  }

  function runGroup(writes: readonly Write[]): void {
    for (const [index, write] of writes.entries()) {
      const expect = write.op === 'insert' ? 'any' : (write.expect ?? (write.op === 'update' ? 1 : 'any'));
      const matched = runWrite(write);
      if (expect !== 'any' && matched !== expect) throw new CastellanError('CONDITION_FAILED', undefined, { index });
    }
  }

  function collectionOf<T extends Doc>(table: Table): Collection<T> {
    const select = (filter: Filter, options: FindOptions) => {
      refuseClosed();
      return find(table, parseFilter(filter), parseOptions(options)).map((doc) => copyOut(doc)) as unknown as T[];
    };
    return {
      insertOne: async (doc) => atomic(() => void insert(table, doc)),
      insertMany: async (docs) => atomic(() => docs.map((doc) => tryInsert(table, doc))),
      findOne: async (filter, options = {}) => select(filter, { ...options, limit: 1 })[0] ?? null,
      find: async (filter, options = {}) => select(filter, options),
      count: async (filter) => atomic(() => find(table, parseFilter(filter), ALL).length),
      updateOne: async (filter, given, options = {}) =>
        atomic(() => {
          const { after, inserted } = updateOne(table, filter, given, options.upsert);
          return { matched: after ? 1 : 0, inserted };
        }),
      updateMany: async (filter, given) =>
        atomic(() => update(table, parseFilter(filter), ALL, checkedUpdate(given)).length),
      findOneAndUpdate: async (filter, given, options = {}) =>
        atomic(() => {
          const checked = parseOptions({ limit: 1, ...(options.sort ? { sort: options.sort } : {}) });
          const { before, after } = updateOne(table, filter, given, options.upsert, checked);
          return copyOut(options.returnBefore ? before : after) as T | null;
        }),
      deleteOne: async (filter) => atomic(() => remove(table, filter, ONE)),
      deleteMany: async (filter) => atomic(() => remove(table, filter, ALL)),
      replaceIfNewer: async (docs, field) =>
        atomic(() => {
          const path = parsePath(field);
          for (const doc of docs) replaceIfNewer(table, doc, path);
        }),
    };
  }

  const store: MemoryStore = {
    onChange: null,
    collection: <T extends Doc>(name: string) => collectionOf<T>(tableOf(name)),
    atomically: async (writes) => atomic(() => runGroup(writes)),
    ping: async () => refuseClosed(),
    async close() {
      closed = true;
    },
    reopen() {
      closed = false;
    },
    clear() {
      for (const { spec } of tables.values()) Object.assign(tableOf(spec.name), emptyTable(spec));
    },
  };
  return store;
}

/** The values are copied and checked before anything is touched. */
function checkedUpdate(update: Update): CheckedUpdate {
  return parseUpdate(update).map((change) =>
    change.op === '$unset' ? change : { ...change, value: copyIn(change.value) },
  );
}
