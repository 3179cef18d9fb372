import { type Db, type IndexDescription, MongoServerError } from 'mongodb';
import { CastellanError } from '../../errors.ts';
import { parsePath } from '../field-path.ts';
import type { CollectionSpec, IndexSpec } from '../port.ts';

/** Of the layout (not of the documents); a higher one was written by a later Castellan. */
const SCHEMA_VERSION = 1;
const META = '_meta';
const NAMESPACE_EXISTS = 48;
const INDEX_CONFLICTS = new Set([85, 86]);
const PREFIX = 'ix:';
const UNIQUE = ':unique';

function indexName(index: IndexSpec): string {
  const fields = index.fields.map(([field, direction]) => `${field}${direction === 1 ? '' : '-'}`);
  return `${PREFIX}${fields.join('+')}${index.unique ? UNIQUE : ''}`;
}

/** @returns the fields of a unique index of ours; null for another name, such as `_id_` */
export function indexedBy(name: string): string[] | null {
  if (!name.startsWith(PREFIX) || !name.endsWith(UNIQUE)) return null;
  const fields = name.slice(PREFIX.length, -UNIQUE.length).split('+');
  return fields.map((field) => field.replace(/-$/, ''));
}

/**
 * Lists end with the _id as the last word of their order, so that one index gives order and tie-break together. Only a
 * unique index is partial: MongoDB uses a partial one only for queries that repeat its condition.
 */
function describe(index: IndexSpec): IndexDescription {
  const key = new Map<string, 1 | -1>(
    index.fields.map(([field, direction]) => [parsePath(field).join('.'), direction]),
  );
  const last = index.fields.at(-1)?.[1] ?? 1;
  if (!index.unique && !key.has('_id')) key.set('_id', last);
  const partial = index.unique && index.whereExists;
  return {
    name: indexName(index),
    key,
    ...(index.unique ? { unique: true } : {}),
    ...(partial ? { partialFilterExpression: { [partial]: { $type: ['string', 'number', 'bool'] } } } : {}),
  };
}

async function createCollection(db: Db, name: string): Promise<void> {
  try {
    await db.createCollection(name);
  } catch (error) {
    if (!(error instanceof MongoServerError && error.code === NAMESPACE_EXISTS)) throw error;
  }
}

async function createIndexes(db: Db, { name, indexes }: CollectionSpec): Promise<void> {
  await createCollection(db, name);
  if (indexes.length === 0) return;
  try {
    await db.collection(name).createIndexes(indexes.map(describe));
  } catch (error) {
    if (!(error instanceof MongoServerError && INDEX_CONFLICTS.has(Number(error.code)))) throw error;
    throw new CastellanError('CONFIG_INVALID', `${name} has an index under our name but of another form: drop it.`);
  }
}

/**
 * Makes what is missing, also while other processes do the same. Nothing is dropped: during a rollout the version before
 * still needs it.
 * @throws CONFIG_INVALID when a newer version wrote the database
 */
export async function createSchema(db: Db, specs: readonly CollectionSpec[], more: readonly string[]): Promise<void> {
  const meta = db.collection<{ _id: string; version: number }>(META);
  const found = await meta.findOneAndUpdate(
    { _id: 'schema' },
    { $max: { version: SCHEMA_VERSION } },
    { upsert: true, returnDocument: 'after' },
  );
  if (found && found.version > SCHEMA_VERSION) {
    throw new CastellanError(
      'CONFIG_INVALID',
      `The store was written by a newer Castellan (schema ${found.version}, this one knows ${SCHEMA_VERSION}): start that one.`,
    );
  }
  await Promise.all([
    ...specs.map((spec) => createIndexes(db, spec)),
    ...more.map((name) => createCollection(db, name)),
  ]);
}
