import { isByteView } from '../../../lib/storage/byte-view.ts';
import { badRequest, isPlainObject, type PlainObject } from '../../../lib/storage/field-path.ts';
import type { CheckedFilter, CheckedOptions, Test } from '../../../lib/storage/filter-syntax.ts';
import type { Scalar } from '../../../lib/storage/port.ts';

/** How documents are held in memory, compared and searched. A stored document is never changed, only replaced. */

const MAX_DEPTH = 100;

/** A checked copy of what a caller gave. @throws BAD_REQUEST for what is neither JSON nor bytes */
export function copyIn(value: unknown, depth = 0): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (depth > MAX_DEPTH) throw badRequest('The document is nested too deep.');
  if (isByteView(value)) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map((item) => copyIn(item ?? null, depth + 1));
  if (!isPlainObject(value)) throw badRequest('A document holds JSON values and bytes only.');
  const copy: PlainObject = {};
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw badRequest('A document cannot have a field __proto__.');
    if (value[key] !== undefined) copy[key] = copyIn(value[key], depth + 1);
  }
  return copy;
}

/** A copy of a stored document; bytes are shared, nobody changes them in place. */
export function copyOut<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(copyOut) as T;
  const copy: PlainObject = {};
  const fields = value as PlainObject;
  for (const key in fields) copy[key] = copyOut(fields[key]);
  return copy as T;
}

export function matches(doc: PlainObject, { tests, anyOf }: CheckedFilter): boolean {
  for (const test of tests) if (!holds(valueAt(doc, test.path), test)) return false;
  for (const filters of anyOf) if (!filters.some((one) => matches(doc, one))) return false;
  return true;
}

function valueAt(doc: PlainObject, path: readonly string[]): unknown {
  let value: unknown = doc;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = (value as PlainObject)[name];
  }
  return value;
}

function holds(value: unknown, test: Test): boolean {
  switch (test.op) {
    case '$eq':
      return equals(value, test.value);
    case '$ne':
      return !equals(value, test.value);
    case '$in':
      return test.values.some((one) => equals(value, one));
    case '$nin':
      return !test.values.some((one) => equals(value, one));
    case '$exists':
      return (value !== undefined) === test.value;
    default:
      return Array.isArray(value) ? value.some((one) => inRange(one, test)) : inRange(value, test);
  }
}

function equals(value: unknown, wanted: Scalar): boolean {
  if (Array.isArray(value)) return value.some((one) => equals(one, wanted));
  return wanted === null ? value === null || value === undefined : value === wanted;
}

function inRange(value: unknown, { op, value: bound }: Extract<Test, { value: string | number }>): boolean {
  if (typeof value !== typeof bound) return false;
  const order = compare(value, bound);
  if (op === '$gt') return order > 0;
  if (op === '$gte') return order >= 0;
  return op === '$lt' ? order < 0 : order <= 0;
}

const kindOf = (value: unknown): number => (value == null ? 0 : typeof value === 'number' ? 1 : 2);

/** Nothing before numbers before text, text by its UTF-8 bytes. */
function compare(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return kindOf(a) - kindOf(b);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  if (HAS_SURROGATES.test(a) || HAS_SURROGATES.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

/* UTF-16 and UTF-8 put them in different places */
const HAS_SURROGATES = /[\ud800-\udfff]/;

/** Sorts in place, the `_id` as the last word in the direction of the last field. */
export function sortDocuments(docs: PlainObject[], { sort }: CheckedOptions): PlainObject[] {
  const last = sort.at(-1);
  if (!last) return docs;
  return docs.sort((a, b) => {
    for (const [path, direction] of sort) {
      const order = compare(valueAt(a, path), valueAt(b, path));
      if (order !== 0) return order * direction;
    }
    return compare(a._id, b._id) * last[1];
  });
}
