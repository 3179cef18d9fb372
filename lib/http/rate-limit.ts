import type { Clock } from '../clock.ts';

interface Bucket {
  tokens: number;
  /** monotonic */
  at: number;
}

/** Buckets of tenants that were silent are dropped once there are this many. */
const SWEEP_AT = 10_000;

/** One token bucket a tenant, so that a flood of one is answered 429 and does not crowd the others out. */
export interface RateLimit {
  /** @returns 0 when the request may pass, otherwise the seconds until the next one may (at least 1) */
  take(tenant: string): number;
}

/** @param perSecond how fast a bucket fills; 0 = no limit. @param burst how much it holds */
export function createRateLimit(clock: Clock, perSecond: number, burst = perSecond * 2): RateLimit {
  const buckets = new Map<string, Bucket>();

  function sweep(now: number): void {
    const fullAfterMs = (burst / perSecond) * 1000;
    for (const [tenant, { at }] of buckets) if (now - at > fullAfterMs) buckets.delete(tenant);
  }

  function take(tenant: string): number {
    if (perSecond === 0) return 0;
    const now = clock.monotonic();
    const bucket = buckets.get(tenant) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
    const allowed = tokens >= 1;
    if (buckets.size >= SWEEP_AT && !buckets.has(tenant)) sweep(now);
    buckets.set(tenant, { tokens: allowed ? tokens - 1 : tokens, at: now });
    return allowed ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond));
  }

  return { take };
}
