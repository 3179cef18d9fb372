import { CastellanError } from '../../../lib/errors.ts';
import { getAt, type PlainObject } from '../../../lib/storage/field-path.ts';
import type { CheckedFilter, CheckedOptions } from '../../../lib/storage/filter-syntax.ts';
import { type IndexedFields, indexedFields } from '../../../lib/storage/indexed-fields.ts';
import type { CollectionSpec, Scalar } from '../../../lib/storage/port.ts';
import { matches, sortDocuments } from './memory-documents.ts';

/** One collection in memory: its documents in the order of their insertion, and its unique keys. */
interface Unique {
  fields: readonly string[];
  paths: string[][];
  whereExists: string[] | null;
  ids: Map<string, string>;
}

export interface Table {
  spec: CollectionSpec;
  indexed: IndexedFields;
  docs: Map<string, PlainObject>;
  uniques: Unique[];
  position: number;
  sequences: Map<string, number>;
}

export function emptyTable(spec: CollectionSpec): Table {
  const uniques = spec.indexes
    .filter(({ unique }) => unique)
    .map(({ fields, whereExists }) => ({
      fields: fields.map(([field]) => field),
      paths: fields.map(([field]) => field.split('.')),
      whereExists: whereExists?.split('.') ?? null,
      ids: new Map<string, string>(),
    }));
  return { spec, indexed: indexedFields(spec), docs: new Map(), uniques, position: 0, sequences: new Map() };
}

function keyIn({ paths, whereExists }: Unique, doc: PlainObject): string | null {
  if (whereExists && (getAt(doc, whereExists) ?? null) === null) return null;
  return JSON.stringify(paths.map((path) => getAt(doc, path) ?? null));
}

export function refuseDuplicates(table: Table, doc: PlainObject, isNew: boolean): void {
  const { spec, docs, uniques } = table;
  const duplicate = (keys: readonly string[]) =>
    new CastellanError('DUPLICATE_KEY', undefined, { collection: spec.name, keys });
  if (isNew && docs.has(doc._id as string)) throw duplicate(['_id']);
  for (const unique of uniques) {
    const key = keyIn(unique, doc);
    const holder = key === null ? undefined : unique.ids.get(key);
    if (holder !== undefined && holder !== doc._id) throw duplicate(unique.fields);
  }
}

export function place(table: Table, before: PlainObject | null, after: PlainObject | null, id: string): void {
  for (const unique of table.uniques) {
    const [old, now] = [before && keyIn(unique, before), after && keyIn(unique, after)];
    if (old !== null && unique.ids.get(old) === id) unique.ids.delete(old);
    if (now !== null) unique.ids.set(now, id);
  }
  if (after) table.docs.set(id, after);
  else table.docs.delete(id);
}

export function find(table: Table, filter: CheckedFilter, options: CheckedOptions): PlainObject[] {
  const found: PlainObject[] = [];
  const enough =
    options.sort.length > 0 || options.limit === null ? Number.POSITIVE_INFINITY : options.skip + options.limit;
  for (const doc of candidates(table, filter)) {
    if (found.length >= enough) break;
    if (matches(doc, filter)) found.push(doc);
  }
  sortDocuments(found, options);
  if (options.limit === null && options.skip === 0) return found;
  return found.slice(options.skip, options.limit === null ? undefined : options.skip + options.limit);
}

function candidates({ docs }: Table, { tests }: CheckedFilter): Iterable<PlainObject> {
  for (const { path, ...test } of tests) {
    if (path[0] !== '_id' || path.length > 1) continue;
    if (test.op === '$eq') return listed(docs, [test.value]);
    if (test.op === '$in') return listed(docs, test.values);
  }
  return docs.values();
}

function listed(docs: Table['docs'], ids: readonly Scalar[]): PlainObject[] {
  return ids.map((id) => docs.get(id as string)).filter((doc) => doc !== undefined);
}
