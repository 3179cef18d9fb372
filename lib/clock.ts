/**
 * Time as a port, so that schedules can be tested without waiting. `now` is for what people read and what is stored;
 * `monotonic` is for every duration and deadline, because the wall clock may jump.
 */
export interface Clock {
  /** milliseconds since the epoch */
  now(): number;
  /** milliseconds since an arbitrary start, never going back */
  monotonic(): number;
  /** Calls `fn` once after `delayMs`; the returned function cancels. Timers never keep the process alive by themselves. */
  after(delayMs: number, fn: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** ISO 8601 UTC with milliseconds, the form of every time that leaves Castellan. */
export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
