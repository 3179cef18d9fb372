import type { Page } from '../contracts/entities.ts';
import type { PageParams } from '../contracts/params.ts';
import { fitPage, listByCursor } from './cursor-list.ts';
import type { Collection, Doc, Filter } from './port.ts';

/**
 * One page of a list, newest first, as the API shows it. The cursor names a place, not an owner: the filter decides
 * what is seen.
 * @param field milliseconds or another number, indexed together with the filter's fields
 * @throws BAD_REQUEST when `after` is no cursor of ours
 */
export async function findPage<T extends Doc, R>(
  collection: Collection<T>,
  filter: Filter,
  field: keyof T & string,
  page: PageParams,
  view: (doc: T) => R,
): Promise<Page<R>> {
  const found = await listByCursor(collection, { filter, by: field, ...page });
  return fitPage(found, field, found.items.map(view));
}
