import { type Signal, useSignal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import type { Page } from '../../lib/contracts/entities.ts';
import { type ApiError, toApiError } from './api-error.ts';
import { get, type Query } from './client.ts';
import { type Resource, useResource } from './use-resource.ts';

export interface PagedResource<T> extends Omit<Resource<Page<T>>, 'data'> {
  /** null until the first page is there; patch it when a live event changes a row */
  items: Signal<T[] | null>;
  /** there are older ones */
  hasMore: Signal<boolean>;
  loadingMore: Signal<boolean>;
  loadMore(): Promise<void>;
  error: Signal<ApiError | null>;
}

/**
 * A list of the API, page by page.
 * @param path below `/v1/wa`; null = nothing to fetch yet
 */
export function usePages<T>(path: string | null, query: Query = {}): PagedResource<T> {
  const items = useSignal<T[] | null>(null);
  const next = useSignal<string | null>(null);
  const hasMore = useSignal(false);
  const loadingMore = useSignal(false);
  const key = `${path} ${JSON.stringify(query)}`;
  const shownKey = useRef(key);

  const resource = useResource<Page<T>>(
    async (signal) => {
      /* another list: the rows of the former one are not old, they are wrong */
      if (shownKey.current !== key) items.value = null;
      shownKey.current = key;
      if (path === null) return { items: [], next: null };
      const page = await get<Page<T>>(path, query, signal);
      items.value = page.items;
      next.value = page.next;
      hasMore.value = page.next !== null;
      return page;
    },
    [key],
  );

  return useMemo(() => {
    async function loadMore(): Promise<void> {
      if (path === null || next.value === null || loadingMore.value) return;
      loadingMore.value = true;
      try {
        const page = await get<Page<T>>(path, { ...query, after: next.value });
        items.value = [...(items.value ?? []), ...page.items];
        next.value = page.next;
        hasMore.value = page.next !== null;
      } catch (thrown) {
        resource.error.value = toApiError(thrown);
      } finally {
        loadingMore.value = false;
      }
    }
    const { error, loading, reload } = resource;
    return { items, error, loading, reload, hasMore, loadingMore, loadMore };
  }, [key]);
}
