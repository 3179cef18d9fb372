import type { DatabaseSync } from 'node:sqlite';
import { CastellanError } from '../../errors.ts';
import { parsePath } from '../field-path.ts';
import type { CollectionSpec, IndexSpec } from '../port.ts';
import { fieldExpression } from './filter-sql.ts';

/** Of the tables' layout (not of the documents); a higher one was written by a later Castellan. */
export const SCHEMA_VERSION = 1;

const NAME_PATTERN = /^[A-Za-z][A-Za-z0-9]*$/;
const INDEX_PREFIX = 'ix';

export function indexName(collection: string, index: IndexSpec): string {
  const fields = index.fields.map(([field, direction]) => `${field}${direction === 1 ? '' : '-'}`);
  const kind = `${index.unique ? ':unique' : ''}${index.whereExists ? `:${index.whereExists}` : ''}`;
  return `${INDEX_PREFIX}:${collection}:${fields.join('+')}${kind}`;
}

/** Lists end with the _id as the last word of their order, so that one index gives order and tie-break together. */
function indexSql(collection: string, index: IndexSpec): string {
  const terms = index.fields.map(
    ([f, direction]) => `${fieldExpression(parsePath(f))}${direction === 1 ? '' : ' DESC'}`,
  );
  if (!index.unique) terms.push(`_id${index.fields.at(-1)?.[1] === -1 ? ' DESC' : ''}`);
  const where = index.whereExists ? ` WHERE ${fieldExpression(parsePath(index.whereExists))} IS NOT NULL` : '';
  const kind = index.unique ? 'UNIQUE INDEX' : 'INDEX';
  return `CREATE ${kind} IF NOT EXISTS "${indexName(collection, index)}" ON "${collection}" (${terms.join(', ')})${where}`;
}

function createCollection(db: DatabaseSync, spec: CollectionSpec): void {
  if (!NAME_PATTERN.test(spec.name)) throw new CastellanError('CONFIG_INVALID', `${spec.name} is no collection name.`);
  db.exec(`CREATE TABLE IF NOT EXISTS "${spec.name}" (_id TEXT PRIMARY KEY NOT NULL, doc TEXT NOT NULL, bytes BLOB)`);
  const wanted = new Set(spec.indexes.map((index) => indexName(spec.name, index)));
  const present = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND name LIKE '${INDEX_PREFIX}:%'`)
    .all(spec.name);
  for (const { name } of present) if (!wanted.has(name as string)) db.exec(`DROP INDEX "${name}"`);
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
    for (const spec of collections) createCollection(db, spec);
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
