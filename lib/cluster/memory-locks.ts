import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { CastellanError } from '../errors.ts';
import type { ClaimOptions, Locks, RenewOutcome } from './locks.port.ts';

interface Lease {
  holder: string;
  number: number;
  /** monotonic, ms */
  expiresAt: number;
}

const SWEEP_FROM_SIZE = 1024;

/**
 * Locks of a single process. A lease ends by itself when its time is over on the monotonic clock; nothing waits for
 * that, it is seen at the next look. What nobody looks at again is swept when the table has doubled.
 *
 * @throws (its methods) STORE_UNAVAILABLE after `close()`
 */
export function createMemoryLocks({ clock }: { clock: Clock }): Locks {
  const leases = new Map<string, Lease>();
  const generation = randomUUID();
  let sweepAtSize = SWEEP_FROM_SIZE;
  let closed = false;

  function refuseClosed(): void {
    if (closed) throw new CastellanError('STORE_UNAVAILABLE', 'The locks are closed.');
  }

  function leaseOf(key: string): Lease | null {
    refuseClosed();
    const lease = leases.get(key);
    if (lease === undefined || lease.expiresAt > clock.monotonic()) return lease ?? null;
    leases.delete(key);
    return null;
  }

  function expiryAfter(ttlMs: number): number {
    if (!(ttlMs > 0)) throw new CastellanError('BAD_REQUEST', 'ttlMs must be above 0.');
    return clock.monotonic() + ttlMs;
  }

  function sweep(): void {
    if (leases.size < sweepAtSize) return;
    for (const key of [...leases.keys()]) leaseOf(key);
    sweepAtSize = Math.max(SWEEP_FROM_SIZE, leases.size * 2);
  }

  function renewOne(key: string, holder: string, number: number, ttlMs: number): RenewOutcome {
    const lease = leaseOf(key);
    if (lease === null) return 'missing';
    if (lease.holder !== holder || lease.number !== number) return 'lost';
    lease.expiresAt = expiryAfter(ttlMs);
    return 'renewed';
  }

  function claim(key: string, holder: string, ttlMs: number, { over = null, lease: number = 0 }: ClaimOptions) {
    const held = leaseOf(key);
    const isEarlier = held?.holder === holder && held.number <= number;
    if (held !== null && !isEarlier && held.holder !== over) return { mine: false, holder: held.holder };
    leases.set(key, { holder, number, expiresAt: expiryAfter(ttlMs) });
    sweep();
    return { mine: true, holder };
  }

  return {
    claim: async (key, holder, ttlMs, options = {}) => claim(key, holder, ttlMs, options),

    async claimInGeneration(key, holder, ttlMs, seen, options = {}) {
      const lease = leaseOf(key);
      if (seen !== generation) return { mine: false, holder: lease?.holder ?? null, forgotten: true };
      return { ...claim(key, holder, ttlMs, options), forgotten: false };
    },

    async renew(keys, holder, ttlMs, numbers = []) {
      return keys.map((key, index) => renewOne(key, holder, numbers[index] ?? 0, ttlMs));
    },

    async release(key, holder, number = 0) {
      const held = leaseOf(key);
      return held?.holder === holder && held.number === number && leases.delete(key);
    },

    async holderOf(key) {
      return leaseOf(key)?.holder ?? null;
    },

    async generation() {
      refuseClosed();
      return generation;
    },

    async close() {
      closed = true;
      leases.clear();
    },
  };
}
