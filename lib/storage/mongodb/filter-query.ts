import type { Document, Sort as MongoSort } from 'mongodb';
import type { CheckedFilter, CheckedOptions, Test } from '../filter-syntax.ts';
import { encodePath } from './bson-codec.ts';

const IS_LIST = { $type: 'array' };

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

/** Conditions that must all hold, each on the value of one path or, as an alternative, on several. */
interface Conjunction {
  fields: Map<string, Document>;
  alternatives: Document[];
}

/** A filter names each path and operator once, so conditions of one path never stand in each other's way. */
function require({ fields }: Conjunction, path: string, condition: Document): void {
  fields.set(path, { ...fields.get(path), ...condition });
}

function requireTest(conjunction: Conjunction, test: Test): void {
  const path = encodePath(test.path);
  const holders = test.path.slice(1).map((_name, index) => encodePath(test.path.slice(0, index + 1)));
  if (holders.length > 0 && holdsForMissing(test)) {
    const lists = holders.map((holder) => ({ [holder]: IS_LIST }));
    conjunction.alternatives.push({ $or: [...lists, { [path]: conditionOf(test) }] });
    return;
  }
  require(conjunction, path, conditionOf(test));
  for (const holder of holders) require(conjunction, holder, { $not: IS_LIST });
}

/** What is equal to a scalar is written plainly: every planner knows that form. */
function plainly(condition: Document): unknown {
  const ops = Object.keys(condition);
  return ops.length === 1 && ops[0] === '$eq' ? condition.$eq : condition;
}

/**
 * The conditions stand side by side, one entry a path, so that a planner sees at once which index holds them all.
 * @returns `{}` for the empty filter
 */
export function filterQuery(filter: CheckedFilter): Document {
  const conjunction: Conjunction = { fields: new Map(), alternatives: [] };
  for (const test of filter.tests) requireTest(conjunction, test);
  for (const filters of filter.anyOf) conjunction.alternatives.push({ $or: filters.map(filterQuery) });
  const { fields, alternatives } = conjunction;
  return {
    ...Object.fromEntries([...fields].map(([path, condition]) => [path, plainly(condition)])),
    ...(alternatives.length > 0 ? { $and: alternatives } : {}),
  };
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
