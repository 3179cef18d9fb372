import type { Page } from '../contracts/entities.ts';
import type { PageParams } from '../contracts/params.ts';
import { listByCursor } from './cursor-list.ts';
import type { Collection, Doc, Filter } from './port.ts';

/**
 * One page of a list in the form that the API answers with, newest first.
 * @param field a field that holds milliseconds or another number and is indexed together with the filter's
 * @throws BAD_REQUEST when `after` is no cursor of ours
 */
export async function findPage<T extends Doc, R>(
  collection: Collection<T>,
  filter: Filter,
  field: keyof T & string,
  page: PageParams,
  view: (doc: T) => R,
): Promise<Page<R>> {
  const { items, next } = await listByCursor(collection, { ...page, filter, by: field });
  return { items: items.map(view), next };
}
