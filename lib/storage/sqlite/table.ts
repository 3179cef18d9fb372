import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { CastellanError, isErrorType } from '../../errors.ts';
import { badRequest, getAt, isPlainObject, type PlainObject } from '../field-path.ts';
import type { CheckedFilter, CheckedOptions } from '../filter-syntax.ts';
import { indexedFields } from '../indexed-fields.ts';
import type { CollectionSpec, Doc, IndexSpec, Scalar } from '../port.ts';
import { applyUpdate, type CheckedUpdate, documentForUpsert } from '../update-document.ts';
import type { Counters } from './counters.ts';
import { decodeDocument, encodeDocument } from './document-codec.ts';
import { columnName, columnValue, filterSql, findSql, optionsSql } from './filter-sql.ts';

/** The statements of one collection, run synchronously inside whatever transaction is open. */
export interface Table {
  insert(doc: Doc): void;
  /** @returns false when a unique key stands in the way */
  tryInsert(doc: Doc): boolean;
  select(filter: CheckedFilter, options: CheckedOptions): Doc[];
  count(filter: CheckedFilter): number;
  /** Updates what matches, at most `options.limit`. @returns the documents after and, decoded when asked for, before */
  update(filter: CheckedFilter, options: CheckedOptions, update: CheckedUpdate): { before(): Doc; after: Doc }[];
  /** @returns the inserted document */
  upsert(filter: CheckedFilter, update: CheckedUpdate): Doc;
  remove(filter: CheckedFilter, options: CheckedOptions): number;
  replaceIfNewer(doc: Doc, field: readonly string[]): void;
}

interface Row {
  _id: string;
  doc: string;
  bytes: Uint8Array | null;
}

const UNIQUE_VIOLATIONS = new Set([1555, 2067]);

/** Prepared statements by their text; the oldest go when there are too many. */
export function createStatementCache(db: DatabaseSync, size = 500): (sql: string) => StatementSync {
  const cache = new Map<string, StatementSync>();
  return (sql) => {
    let statement = cache.get(sql);
    if (statement) return statement;
    statement = db.prepare(sql);
    if (cache.size >= size) cache.delete(cache.keys().next().value as string);
    cache.set(sql, statement);
    return statement;
  };
}

export function createTable(spec: CollectionSpec, prepare: (sql: string) => StatementSync, counters: Counters): Table {
  const { name, ordered } = spec;
  const indexed = indexedFields(spec);
  const uniques = spec.indexes.filter((index) => index.unique);
  const columns = indexed.names.map(columnName);
  const every = ['_id', ...columns, 'doc', 'bytes'];
  const insertSql = `INSERT INTO "${name}" (${every.join(', ')}) VALUES (${every.map(() => '?').join(', ')})`;
  const run = (sql: string, params: SQLInputValue[]) => prepare(sql).run(...params);
  const columnsOf = (doc: object) => indexed.valuesOf(doc).map(columnValue);

  function duplicate(keys: readonly string[]): CastellanError {
    return new CastellanError('DUPLICATE_KEY', undefined, { collection: name, keys });
  }

  /** SQLite holds null keys for distinct, MongoDB for equal: the rare key with a null in it is looked up. */
  function refuseNullTwin(doc: PlainObject): void {
    for (const { fields, whereExists } of uniques) {
      const values = fields.map(([field]) => (getAt(doc, field.split('.')) ?? null) as Scalar);
      if (!values.includes(null) || (whereExists && (getAt(doc, whereExists.split('.')) ?? null) === null)) continue;
      const where = [...fields.map(([field]) => `${columnName(field)} IS ?`), '_id <> ?'];
      if (whereExists) where.push(`${columnName(whereExists)} IS NOT NULL`);
      const twin = prepare(`SELECT 1 FROM "${name}" WHERE ${where.join(' AND ')} LIMIT 1`).get(
        ...values.map(columnValue),
        String(doc._id),
      );
      if (twin) throw duplicate(fields.map(([field]) => field));
    }
  }

  function check(doc: PlainObject): void {
    if (typeof doc._id !== 'string' || doc._id === '') throw badRequest('A document needs an _id, a string.');
    indexed.check(doc);
    refuseNullTwin(doc);
  }

  /** Runs a write of this document. @throws DUPLICATE_KEY, naming the _id before any other key that it also hits */
  function writing<R>(id: string, isNew: boolean, write: () => R): R {
    try {
      return write();
    } catch (error) {
      const { errcode, message } = error as { errcode?: number; message?: string };
      if (errcode === undefined || !UNIQUE_VIOLATIONS.has(errcode)) throw error;
      if (isNew && prepare(`SELECT 1 FROM "${name}" WHERE _id = ?`).get(id)) throw duplicate(['_id']);
      const hit = uniques.find((index) => message?.endsWith(`: ${violationOf(name, index)}`));
      throw duplicate(hit ? hit.fields.map(([field]) => field) : ['_id']);
    }
  }

  /** Writers run one after the other and commit together, so the order of these numbers is the order of commits. */
  function inOrder(doc: Doc): Doc {
    if (!ordered) return doc;
    const group = getAt(doc, [ordered.sequencePer]) ?? null;
    const seq = group === null ? 0 : counters.next(`${name}:seq:${group}`);
    return { ...doc, position: counters.next(`${name}:position`), seq } as Doc;
  }

  function insert(given: Doc): void {
    if (!isPlainObject(given)) throw badRequest('A document is an object.');
    check(given);
    const doc = inOrder(given as unknown as Doc);
    const { json, bytes } = encodeDocument(doc);
    writing(doc._id, true, () => run(insertSql, [doc._id, ...columnsOf(doc), json, bytes]));
  }

  function tryInsert(doc: Doc): boolean {
    prepare('SAVEPOINT doc').run();
    const mark = counters.mark();
    try {
      insert(doc);
      return true;
    } catch (error) {
      if (!isErrorType(error, 'DUPLICATE_KEY')) throw error;
      prepare('ROLLBACK TO doc').run();
      counters.rollbackTo(mark);
      return false;
    } finally {
      prepare('RELEASE doc').run();
    }
  }

  const decode = (row: Row): Doc => decodeDocument(row.doc, row.bytes) as unknown as Doc;

  function rows(filter: CheckedFilter, options: CheckedOptions): Row[] {
    const { text, params } = findSql(name, filter, options, indexed);
    return prepare(text).all(...params) as unknown as Row[];
  }

  /** Only columns that changed are set: SQLite writes anew every index over a column that a statement names. */
  function store(doc: PlainObject, before: readonly Scalar[]): void {
    check(doc);
    const { json, bytes } = encodeDocument(doc);
    const changed = indexed.valuesOf(doc).flatMap((value, at) => (value === before[at] ? [] : [{ value, at }]));
    const names = ['doc', 'bytes', ...changed.map(({ at }) => columns[at])];
    const params = [json, bytes, ...changed.map(({ value }) => columnValue(value)), String(doc._id)];
    const sql = `UPDATE "${name}" SET ${names.map((column) => `${column} = ?`).join(', ')} WHERE _id = ?`;
    writing(String(doc._id), false, () => run(sql, params));
  }

  return {
    insert,
    tryInsert,
    select: (filter, options) => rows(filter, options).map(decode),

    count(filter) {
      const where = filterSql(filter, indexed);
      return Number(prepare(`SELECT count(*) AS n FROM "${name}" WHERE ${where.text}`).get(...where.params)?.n);
    },

    update(filter, options, update) {
      return rows(filter, options).map((row) => {
        const after = decode(row);
        const valuesBefore = indexed.valuesOf(after);
        applyUpdate(after as unknown as PlainObject, update);
        store(after as unknown as PlainObject, valuesBefore);
        return { before: () => decode(row), after };
      });
    },

    upsert(filter, update) {
      const doc = documentForUpsert(filter, update);
      insert(doc);
      return doc;
    },

    remove(filter, options) {
      const where = filterSql(filter, indexed);
      if (options.limit === null) return Number(run(`DELETE FROM "${name}" WHERE ${where.text}`, where.params).changes);
      const rest = optionsSql(options, indexed);
      const chosen = `SELECT _id FROM "${name}" WHERE ${where.text}${rest.text}`;
      const params = [...where.params, ...rest.params];
      return Number(run(`DELETE FROM "${name}" WHERE _id IN (${chosen})`, params).changes);
    },

    replaceIfNewer(doc, field) {
      if (ordered) throw badRequest('An ordered collection is only appended to.');
      check(doc as unknown as PlainObject);
      const value = getAt(doc, field);
      if (typeof value !== 'number') throw badRequest(`${field.join('.')} must be a number.`);
      const { json, bytes } = encodeDocument(doc);
      const newer = `json_extract(doc,'$.${field.join('.')}')`;
      const overwrite = [...columns, 'doc', 'bytes'].map((column) => `${column} = excluded.${column}`);
      const sql = `${insertSql}
        ON CONFLICT (_id) DO UPDATE SET ${overwrite.join(', ')} WHERE coalesce(${newer} < ?, 1)`;
      writing(doc._id, false, () => run(sql, [doc._id, ...columnsOf(doc), json, bytes, value]));
    },
  };
}

/** How SQLite names a unique index that a row violates. */
function violationOf(collection: string, { fields }: IndexSpec): string {
  return fields.map(([field]) => `${collection}.@${field}`).join(', ');
}
