import type { Document, Sort as MongoSort } from 'mongodb';
import type { CheckedFilter, CheckedOptions, Test } from '../filter-syntax.ts';
import { encodePath } from './bson-codec.ts';

/**
 * Compiles checked filters to MongoDB's. The language is MongoDB's own but for one thing: a dotted path of ours reaches
 * into objects only, MongoDB's also into the objects of a list. So a dotted test says what a list on its way means:
 * the field is missing.
 */
function conditionOf(test: Test): Document {
  if ('values' in test) return { [test.op]: test.values };
  return { [test.op]: test.value };
}

function holdsForMissing(test: Test): boolean {
  switch (test.op) {
    case '$exists':
      return !test.value;
    case '$eq':
      return test.value === null;
    case '$ne':
      return test.value !== null;
    case '$in':
      return test.values.includes(null);
    case '$nin':
      return !test.values.includes(null);
    default:
      return false;
  }
}

function testQuery(test: Test): Document {
  const own = { [encodePath(test.path)]: conditionOf(test) };
  if (test.path.length === 1) return own;
  const holders = test.path.slice(1).map((_name, index) => encodePath(test.path.slice(0, index + 1)));
  if (holdsForMissing(test)) return { $or: [...holders.map((path) => ({ [path]: { $type: 'array' } })), own] };
  return { $and: [own, ...holders.map((path) => ({ [path]: { $not: { $type: 'array' } } }))] };
}

/** @returns `{}` for the empty filter */
export function filterQuery(filter: CheckedFilter): Document {
  const parts = filter.tests.map(testQuery);
  for (const filters of filter.anyOf) parts.push({ $or: filters.map(filterQuery) });
  if (parts.length === 0) return {};
  return parts.length === 1 ? (parts[0] as Document) : { $and: parts };
}

/** The `_id` that every matching document has, when the filter names one. */
export function idOf(filter: CheckedFilter): string | null {
  for (const test of filter.tests) {
    if (test.op === '$eq' && test.path.length === 1 && test.path[0] === '_id' && typeof test.value === 'string') {
      return test.value;
    }
  }
  return null;
}

/** With the `_id` as the last word, so that an order is always total. */
export function sortOrder({ sort }: CheckedOptions): MongoSort {
  const order = new Map(sort.map(([path, direction]) => [encodePath(path), direction]));
  const last = sort.at(-1);
  if (last && !order.has('_id')) order.set('_id', last[1]);
  return order;
}
