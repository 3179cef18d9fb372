import type { Clock } from '../clock.ts';

/** Resolves when the promise is settled, or after the time, whichever comes first; never rejects. */
export function within(clock: Clock, ms: number, promise: Promise<unknown>): Promise<void> {
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(ms, resolve);
  const settle = () => {
    cancel();
    resolve();
  };
  promise.then(settle, settle);
  return done;
}
