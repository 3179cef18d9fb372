import type { Filter, Scalar } from '../../../lib/storage/port.ts';

/** The meaning of a filter, spelled out over one document in memory: what both adapters are compared with. */
export function matches(doc: Record<string, unknown>, filter: Filter): boolean {
  return Object.entries(filter).every(([field, condition]) => {
    if (field === '$or') return (condition as Filter[]).some((one) => matches(doc, one));
    const value = valueAt(doc, field);
    if (condition === null || typeof condition !== 'object') return equals(value, condition as Scalar);
    return Object.entries(condition).every(([op, operand]) => holds(value, op, operand));
  });
}

function valueAt(doc: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>)[name] : undefined;
  }, doc);
}

/** The value itself and, of a list, its elements. */
function candidates(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}

function equals(value: unknown, wanted: Scalar): boolean {
  return candidates(value).some((one) => (wanted === null ? one === null || one === undefined : one === wanted));
}

function order(a: unknown, b: string | number): number | null {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return null;
}

function holds(value: unknown, op: string, operand: unknown): boolean {
  const compared = (test: (order: number) => boolean) =>
    candidates(value).some((one) => {
      const found = order(one, operand as string | number);
      return found !== null && test(found);
    });
  switch (op) {
    case '$eq':
      return equals(value, operand as Scalar);
    case '$ne':
      return !equals(value, operand as Scalar);
    case '$in':
      return (operand as Scalar[]).some((one) => equals(value, one));
    case '$nin':
      return !(operand as Scalar[]).some((one) => equals(value, one));
    case '$gt':
      return compared((found) => found > 0);
    case '$gte':
      return compared((found) => found >= 0);
    case '$lt':
      return compared((found) => found < 0);
    case '$lte':
      return compared((found) => found <= 0);
    case '$exists':
      return (value !== undefined) === operand;
    default:
      throw new Error(`the model does not know ${op}`);
  }
}
