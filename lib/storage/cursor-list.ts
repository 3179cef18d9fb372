import type { Page } from '../contracts/entities.ts';
import { badRequest, getAt } from './field-path.ts';
import { fittingCount } from './page-size.ts';
import type { Collection, Doc, Filter } from './port.ts';

export const DEFAULT_LIST_LIMIT = 50;
export const MAX_LIST_LIMIT = 200;
const MAX_CURSOR_LENGTH = 400;

export interface CursorListOptions {
  /** what is listed: scope and the client's filters together; without `$or`, which the cursor needs */
  filter: Filter;
  /** the number (a time or a counter) that the list runs by, newest first; default `createdAt` */
  by?: string;
  /** 1-200, default 50 */
  limit?: number | undefined;
  /** `next` of the page before */
  after?: string | null | undefined;
}

/** Where a page ended: the sorted value and the _id, so that rows of the same millisecond are neither lost nor repeated. */
type Position = readonly [value: number, id: string];

function encodeCursor(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

function decodeCursor(cursor: string): Position {
  try {
    if (typeof cursor !== 'string' || cursor.length > MAX_CURSOR_LENGTH) throw new Error('not one of ours');
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const [at, id, ...rest] = Array.isArray(value) ? (value as unknown[]) : [];
    if (typeof at === 'number' && typeof id === 'string' && rest.length === 0) return [at, id];
  } catch {
    // falls through: whatever is wrong with it, the answer is the same
  }
  throw badRequest('`after` is not a cursor of this list.');
}

function limitOf(limit: number | undefined): number {
  if (limit === undefined) return DEFAULT_LIST_LIMIT;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIST_LIMIT) return limit;
  throw badRequest(`limit must be a whole number from 1 to ${MAX_LIST_LIMIT}.`);
}

/** What comes after the position. The bound on `by` alone carries the index; the `$or` breaks the tie. */
function beyond(filter: Filter, by: string, [value, id]: Position): Filter {
  const bound: Filter = filter[by] === undefined ? { [by]: { $lte: value } } : {};
  return { ...filter, ...bound, $or: [{ [by]: { $lt: value } }, { [by]: value, _id: { $lt: id } }] };
}

/**
 * One page of a collection, newest first. Every document listed has a number in `by`; an index on the filter's fields
 * and `by` carries both the order and the cursor.
 *
 * @throws BAD_REQUEST for a malformed cursor, a `$or` or a limit outside 1-200
 */
export async function listByCursor<T extends Doc>(
  collection: Collection<T>,
  { filter, by = 'createdAt', limit, after }: CursorListOptions,
): Promise<Page<T>> {
  const size = limitOf(limit);
  if (filter.$or) throw badRequest('A list by cursor takes no $or.');
  const position = after === undefined || after === null ? null : decodeCursor(after);
  const found = await collection.find(position ? beyond(filter, by, position) : filter, {
    sort: [
      [by, -1],
      ['_id', -1],
    ],
    limit: size + 1,
  });
  const items = found.slice(0, size);
  const last = items.at(-1);
  return { items, next: found.length > size && last ? cursorAfter(last, by) : null };
}

/** @returns the `next` of a page that ends with this document */
function cursorAfter(last: Doc, by: string): string {
  return encodeCursor([Number(getAt(last, by.split('.'))), last._id]);
}

/**
 * @param page as `listByCursor` gave it
 * @param views what its documents look like in the answer, in the same order
 * @returns the page in that form, shortened to what the bus carries in one message
 */
export function fitPage<T extends Doc, R>({ items, next }: Page<T>, by: string, views: readonly R[]): Page<R> {
  const count = fittingCount(views);
  const last = items[count - 1];
  return { items: views.slice(0, count), next: count < items.length && last ? cursorAfter(last, by) : next };
}
