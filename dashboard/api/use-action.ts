import { type Signal, useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { type ApiError, toApiError } from './api-error.ts';

export interface Action<A extends unknown[], T> {
  /** @returns the result, or null when it failed (then `error` says why) or is already under way */
  run(...args: A): Promise<T | null>;
  busy: Signal<boolean>;
  error: Signal<ApiError | null>;
}

/** Something that a button does: once at a time, with its error kept to be shown. */
export function useAction<A extends unknown[], T>(perform: (...args: A) => Promise<T>): Action<A, T> {
  const busy = useSignal(false);
  const error = useSignal<ApiError | null>(null);
  const latest = useRef(perform);
  latest.current = perform;

  async function run(...args: A): Promise<T | null> {
    if (busy.value) return null;
    busy.value = true;
    error.value = null;
    try {
      return await latest.current(...args);
    } catch (thrown) {
      error.value = toApiError(thrown);
      return null;
    } finally {
      busy.value = false;
    }
  }
  return { run, busy, error };
}
