import type { Clock } from '../clock.ts';

/**
 * Spreads what a node does to WhatsApp or the store: a token bucket that hands out times instead of refusals. After an
 * outage a thousand connections want to come back at once; WhatsApp answers such a herd with worse than an outage.
 */
export interface Limiter {
  /** Takes the next free place. @returns milliseconds to wait for it; 0 = now */
  reserve(): number;
}

export interface LimiterOptions {
  perSecond: number;
  /** how many may go at once after a quiet time; at least 1 */
  burst: number;
}

/** Reopens after a failure, a node: 10 in any second, so one every 100 ms and never two at once. */
export const REOPEN_LIMIT: LimiterOptions = { perSecond: 10, burst: 1 };

export function createLimiter({ perSecond, burst }: LimiterOptions, clock: Pick<Clock, 'monotonic'>): Limiter {
  const intervalMs = 1_000 / perSecond;
  /* when the bucket would be full again; everything reserved lies before it */
  let fullAt = Number.NEGATIVE_INFINITY;
  return {
    reserve() {
      const now = clock.monotonic();
      fullAt = Math.max(fullAt, now) + intervalMs;
      /* whole microseconds: sums of thirds must not count as a delay */
      return Math.max(0, Math.round((fullAt - burst * intervalMs - now) * 1_000) / 1_000);
    },
  };
}
