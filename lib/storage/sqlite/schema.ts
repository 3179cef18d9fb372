import type { DatabaseSync } from 'node:sqlite';
import { CastellanError } from '../../errors.ts';
import { parsePath } from '../field-path.ts';
import { indexedFields } from '../indexed-fields.ts';
import type { CollectionSpec, IndexSpec } from '../port.ts';
import { columnName, jsonPath } from './filter-sql.ts';

/** Of the tables' layout (not of the documents); a higher one was written by a later Castellan. */
export const SCHEMA_VERSION = 2;
/** its indexes were over expressions that parsed the document, under the names that those over columns have now */
const EXPRESSION_INDEXES_VERSION = 1;

const NAME_PATTERN = /^[A-Za-z][A-Za-z0-9]*$/;
const INDEX_PREFIX = 'ix';

function indexName(collection: string, index: IndexSpec): string {
  const fields = index.fields.map(([field, direction]) => `${field}${direction === 1 ? '' : '-'}`);
  const kind = `${index.unique ? ':unique' : ''}${index.whereExists ? `:${index.whereExists}` : ''}`;
  return `${INDEX_PREFIX}:${collection}:${fields.join('+')}${kind}`;
}

/** Lists end with the _id as the last word of their order, so that one index gives order and tie-break together. */
function indexSql(collection: string, index: IndexSpec): string {
  const terms = index.fields.map(([field, direction]) => `${columnName(field)}${direction === 1 ? '' : ' DESC'}`);
  if (!index.unique) terms.push(`_id${index.fields.at(-1)?.[1] === -1 ? ' DESC' : ''}`);
  const where = index.whereExists ? ` WHERE ${columnName(index.whereExists)} IS NOT NULL` : '';
  const kind = index.unique ? 'UNIQUE INDEX' : 'INDEX';
  return `CREATE ${kind} IF NOT EXISTS "${indexName(collection, index)}" ON "${collection}" (${terms.join(', ')})${where}`;
}

function dropIndexes(db: DatabaseSync, collection: string, isKept: (name: string) => boolean): void {
  const present = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND name LIKE '${INDEX_PREFIX}:%'`)
    .all(collection);
  for (const { name } of present) if (!isKept(name as string)) db.exec(`DROP INDEX "${name}"`);
}

/** A column that no index covers any more is not kept up to date, so it must not be there when one covers it again. */
function matchColumns(db: DatabaseSync, collection: string, fields: readonly string[]): void {
  const wanted = new Set(fields.map(columnName));
  const columns = db.prepare(`SELECT name FROM pragma_table_info(?)`).all(collection);
  const present = new Set(columns.map(({ name }) => `"${name}"`).filter((name) => name.startsWith('"@')));
  for (const name of present) if (!wanted.has(name)) db.exec(`ALTER TABLE "${collection}" DROP COLUMN ${name}`);
  for (const field of fields) if (!present.has(columnName(field))) addColumn(db, collection, field);
}

function addColumn(db: DatabaseSync, collection: string, field: string): void {
  const path = jsonPath(parsePath(field));
  db.exec(`ALTER TABLE "${collection}" ADD COLUMN ${columnName(field)}`);
  db.exec(
    `UPDATE "${collection}" SET ${columnName(field)} = CASE json_type(doc,${path})
      WHEN 'true' THEN x'01' WHEN 'false' THEN x'00' ELSE json_extract(doc,${path}) END`,
  );
}

/** Columns come before the document: a row that is long goes on in other pages, which they are read without. */
function createCollection(db: DatabaseSync, spec: CollectionSpec): void {
  if (!NAME_PATTERN.test(spec.name)) throw new CastellanError('CONFIG_INVALID', `${spec.name} is no collection name.`);
  const { names } = indexedFields(spec);
  const columns = ['_id TEXT PRIMARY KEY NOT NULL', ...names.map(columnName), 'doc TEXT NOT NULL', 'bytes BLOB'];
  db.exec(`CREATE TABLE IF NOT EXISTS "${spec.name}" (${columns.join(', ')})`);
  const wanted = new Set(spec.indexes.map((index) => indexName(spec.name, index)));
  dropIndexes(db, spec.name, (name) => wanted.has(name));
  matchColumns(db, spec.name, names);
  for (const index of spec.indexes) db.exec(indexSql(spec.name, index));
}

/**
 * Makes or brings up to date what the collections need.
 * @throws CONFIG_INVALID when the file was written by a newer version
 */
export function createSchema(db: DatabaseSync, collections: readonly CollectionSpec[]): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.user_version);
  if (version > SCHEMA_VERSION) {
    throw new CastellanError(
      'CONFIG_INVALID',
      `The store was written by a newer Castellan (schema ${version}, this one knows ${SCHEMA_VERSION}): start that one.`,
    );
  }
  db.exec('BEGIN IMMEDIATE');
  try {
    db.exec(`CREATE TABLE IF NOT EXISTS "_counters" (name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL)`);
    for (const spec of collections) {
      if (version === EXPRESSION_INDEXES_VERSION) dropIndexes(db, spec.name, () => false);
      createCollection(db, spec);
    }
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
