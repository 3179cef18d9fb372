import type { Page } from '../contracts/entities.ts';
import { DEFAULT_PAGE_SIZE, type PageParams } from '../contracts/params.ts';
import { CastellanError } from '../errors.ts';
import type { Collection, Doc, Filter } from './port.ts';

type Position = [value: number, id: string];

/**
 * One page of a list, newest first, by keyset: rows that come or go meanwhile neither repeat nor hide others. The
 * cursor is opaque to clients; it names the last row's place, not its owner, so the filter always decides what is seen.
 * @param field a field that holds milliseconds or another number and is indexed together with the filter's
 * @throws VALIDATION_ERROR when `after` is no cursor of ours
 */
export async function findPage<T extends Doc, R>(
  collection: Collection<T>,
  filter: Filter,
  field: keyof T & string,
  { limit = DEFAULT_PAGE_SIZE, after }: PageParams,
  view: (doc: T) => R,
): Promise<Page<R>> {
  const where = after === undefined ? filter : { ...filter, ...olderThan(field, decodeCursor(after)) };
  const sort = [
    [field, -1],
    ['_id', -1],
  ] as const;
  const docs = await collection.find(where, { sort, limit: limit + 1 });
  const shown = docs.slice(0, limit);
  const last = shown.at(-1);
  const next = docs.length > limit && last ? encodeCursor([Number(last[field]), last._id]) : null;
  return { items: shown.map(view), next };
}

function olderThan(field: string, [value, id]: Position): Filter {
  return { $or: [{ [field]: { $lt: value } }, { [field]: value, _id: { $lt: id } }] };
}

function encodeCursor(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

function decodeCursor(cursor: string): Position {
  try {
    const position: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(position) && Number.isFinite(position[0]) && typeof position[1] === 'string') {
      return [position[0], position[1]];
    }
  } catch {
    /* not JSON: the answer below */
  }
  throw new CastellanError('VALIDATION_ERROR', 'after is not a cursor of this list.', { fields: ['after'] });
}
