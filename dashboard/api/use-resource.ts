import { type Signal, useSignal } from '@preact/signals';
import { useCallback, useEffect, useMemo, useRef } from 'preact/hooks';
import { type ApiError, toApiError } from './api-error.ts';
import { useResync } from './use-events.ts';

/** Something that was fetched. `data` stays while it is fetched again; with `data`, `error` means that it may be old. */
export interface Resource<T> {
  data: Signal<T | null>;
  error: Signal<ApiError | null>;
  loading: Signal<boolean>;
  /** fetches again; calls while one is under way count as one more */
  reload(): Promise<void>;
}

/**
 * Fetches when the component is shown, when `deps` change and when the stream comes back after a break.
 * @param load gets a signal that is aborted when the answer is no longer wanted
 */
export function useResource<T>(load: (signal: AbortSignal) => Promise<T>, deps: readonly unknown[]): Resource<T> {
  const data = useSignal<T | null>(null);
  const error = useSignal<ApiError | null>(null);
  const loading = useSignal(true);
  const latest = useRef(load);
  latest.current = load;
  const running = useRef<AbortController | null>(null);

  const reload = useCallback(async () => {
    running.current?.abort();
    const mine = new AbortController();
    running.current = mine;
    loading.value = true;
    try {
      const answer = await latest.current(mine.signal);
      if (running.current !== mine) return;
      data.value = answer;
      error.value = null;
    } catch (thrown) {
      if (running.current !== mine || mine.signal.aborted) return;
      error.value = toApiError(thrown);
    }
    loading.value = false;
  }, []);

  useEffect(() => {
    data.value = null;
    error.value = null;
    void reload();
    return () => {
      running.current?.abort();
      running.current = null;
    };
  }, deps);
  useResync(() => void reload());

  return useMemo(() => ({ data, error, loading, reload }), []);
}
