import { badRequest, isPlainObject, parsePath } from './field-path.ts';
import type { Filter, FindOptions, Scalar } from './port.ts';

/**
 * The checked form of a filter. Both adapters compile from it, so what is outside the language (an unknown operator, an
 * object in the place of a scalar, `undefined`) is refused before any query is made, never left out of it.
 */
export type Test =
  | { path: readonly string[]; op: '$eq' | '$ne'; value: Scalar }
  | { path: readonly string[]; op: '$in' | '$nin'; values: readonly Scalar[] }
  | { path: readonly string[]; op: '$gt' | '$gte' | '$lt' | '$lte'; value: string | number }
  | { path: readonly string[]; op: '$exists'; value: boolean };

export interface CheckedFilter {
  /** all of them hold */
  tests: readonly Test[];
  /** for each: one of its filters holds */
  anyOf: readonly (readonly CheckedFilter[])[];
}

export interface CheckedOptions {
  sort: readonly (readonly [path: readonly string[], direction: 1 | -1])[];
  limit: number | null;
  skip: number;
}

const MAX_DEPTH = 5;
const MAX_LIST_LENGTH = 10_000;

function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || isNumber(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function parseTest(path: readonly string[], op: string, value: unknown): Test {
  switch (op) {
    case '$eq':
    case '$ne':
      if (isScalar(value)) return { path, op, value };
      break;
    case '$in':
    case '$nin':
      if (Array.isArray(value) && value.length <= MAX_LIST_LENGTH && value.every(isScalar)) {
        return { path, op, values: [...new Set<Scalar>(value)] };
      }
      break;
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      if (typeof value === 'string' || isNumber(value)) return { path, op, value };
      break;
    case '$exists':
      if (typeof value === 'boolean') return { path, op, value };
      break;
    default:
      throw badRequest('The filter has an operator that does not exist.');
  }
  throw badRequest(`The filter on ${path.join('.')} has a value that ${op} does not take.`);
}

function parseCondition(field: string, condition: unknown): Test[] {
  const path = parsePath(field);
  if (isScalar(condition)) return [{ path, op: '$eq', value: condition }];
  const operators = isPlainObject(condition) ? Object.entries(condition) : [];
  if (operators.length === 0) throw badRequest(`The filter on ${field} is neither a scalar nor made of operators.`);
  return operators.map(([op, value]) => parseTest(path, op, value));
}

/** @throws BAD_REQUEST when anything in it is outside the language of port.ts */
export function parseFilter(filter: Filter, depth = 0): CheckedFilter {
  if (!isPlainObject(filter)) throw badRequest('The filter is not an object.');
  if (depth > MAX_DEPTH) throw badRequest('The filter is nested too deep.');
  const tests: Test[] = [];
  const anyOf: CheckedFilter[][] = [];
  for (const [field, condition] of Object.entries(filter)) {
    if (field !== '$or') {
      tests.push(...parseCondition(field, condition));
      continue;
    }
    if (!Array.isArray(condition) || condition.length === 0) throw badRequest('$or takes a list of filters.');
    anyOf.push(condition.map((one: Filter) => parseFilter(one, depth + 1)));
  }
  return { tests, anyOf };
}

function wholeNumber(name: string, value: number, min: number): number {
  if (!Number.isSafeInteger(value) || value < min) throw badRequest(`${name} must be a whole number from ${min}.`);
  return value;
}

/** @throws BAD_REQUEST */
export function parseOptions(options: FindOptions): CheckedOptions {
  const sort = (options.sort ?? []).map(([field, direction]) => {
    if (direction !== 1 && direction !== -1) throw badRequest('A sort direction is 1 or -1.');
    return [parsePath(field), direction] as const;
  });
  return {
    sort,
    limit: options.limit === undefined ? null : wholeNumber('limit', options.limit, 1),
    skip: wholeNumber('skip', options.skip ?? 0, 0),
  };
}
