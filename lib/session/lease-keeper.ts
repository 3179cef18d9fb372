import type { Clock } from '../clock.ts';
import type { Locks } from '../cluster/locks.port.ts';
import type { Log } from '../log.ts';

/**
 * Holds the locks of everything that runs on this node.
 *
 * A lock is believed only as long as it can be proven without asking: every successful claim or renewal proves it until
 * `sentAt + deadlineMs`, where `sentAt` was taken on the monotonic clock *before* the request left. The lock itself
 * lives longer (`ttlMs`), so whoever else gets it finds this node's sockets gone already. Once the deadline passed, the
 * lease is over for good, whatever is answered later: a process that was stopped and wakes up must not write one byte.
 *
 * A renewal has four outcomes: renewed; missing (the locks forgot: claimed again, unless the deadline passed); lost
 * (someone else holds it: over at once); unreachable (nobody else can claim either: keep it, until the deadline).
 */
export interface LeaseKeeper {
  /** @returns whether the lock is ours now. @throws STORE_UNAVAILABLE */
  claim(connectionId: string): Promise<boolean>;
  /** Synchronous: can it be proven at this moment? */
  isMine(connectionId: string): boolean;
  /** Gives it up. Never throws: a lock that cannot be released runs out. */
  release(connectionId: string): Promise<void>;
  /** @returns `nodeId:incarnation` of the holder */
  holderOf(connectionId: string): Promise<string | null>;
  start(): void;
  stop(): void;
}

export interface LeaseTimings {
  /** how long a lock lives without renewal, ms. Default 10,000 */
  lockTtlMs: number;
  /** default 2,000; three times it must fit into the ttl */
  renewIntervalMs: number;
  /** how long a confirmation is believed, ms; below the ttl. Default 7,000 */
  leaseDeadlineMs: number;
}

export const DEFAULT_LEASE_TIMINGS: LeaseTimings = {
  lockTtlMs: 10_000,
  renewIntervalMs: 2_000,
  leaseDeadlineMs: 7_000,
};

export interface LeaseKeeperOptions {
  locks: Locks;
  clock: Clock;
  log: Log;
  /** `nodeId:incarnation` */
  holder: string;
  timings: LeaseTimings;
  /** the lease is over; called once, after which it is not mine any more */
  onLost(connectionId: string): void;
}

const RENEWALS_PER_ROUND_TRIP = 500;
const CHECKS_PER_RENEWAL = 4;

export function lockKeyOf(connectionId: string): string {
  return `connection:${connectionId}`;
}

export function createLeaseKeeper({ locks, clock, log, holder, timings, onLost }: LeaseKeeperOptions): LeaseKeeper {
  const { lockTtlMs, renewIntervalMs, leaseDeadlineMs } = timings;
  /** connectionId -> monotonic time of sending of the latest confirmation */
  const confirmedAt = new Map<string, number>();
  let round = 0;
  let renewing = false;
  let cancel: () => void = () => {};

  function isMine(connectionId: string): boolean {
    const sentAt = confirmedAt.get(connectionId);
    return sentAt !== undefined && clock.monotonic() < sentAt + leaseDeadlineMs;
  }

  function lose(connectionId: string, why: string): void {
    if (!confirmedAt.delete(connectionId)) return;
    log.warn({ connectionId, why }, 'lease lost');
    onLost(connectionId);
  }

  function checkDeadlines(): void {
    for (const connectionId of [...confirmedAt.keys()]) if (!isMine(connectionId)) lose(connectionId, 'deadline');
  }

  async function claim(connectionId: string): Promise<boolean> {
    const sentAt = clock.monotonic();
    const { mine } = await locks.claim(lockKeyOf(connectionId), holder, lockTtlMs);
    if (mine) confirmedAt.set(connectionId, sentAt);
    return mine;
  }

  async function renewBatch(batch: readonly string[]): Promise<void> {
    const sentAt = clock.monotonic();
    const outcomes = await locks.renew(batch.map(lockKeyOf), holder, lockTtlMs);
    for (const [index, connectionId] of batch.entries()) {
      if (!isMine(connectionId)) lose(connectionId, 'deadline');
      else if (outcomes[index] === 'renewed') confirmedAt.set(connectionId, sentAt);
      else if (outcomes[index] === 'lost') lose(connectionId, 'held by another');
      else await claimForgotten(connectionId);
    }
  }

  async function claimForgotten(connectionId: string): Promise<void> {
    const sentAt = clock.monotonic();
    const { mine } = await locks.claim(lockKeyOf(connectionId), holder, lockTtlMs);
    if (!isMine(connectionId) || !mine) lose(connectionId, 'forgotten, then taken');
    else confirmedAt.set(connectionId, sentAt);
  }

  async function renew(): Promise<void> {
    const keys = [...confirmedAt.keys()];
    for (let at = 0; at < keys.length; at += RENEWALS_PER_ROUND_TRIP) {
      await renewBatch(keys.slice(at, at + RENEWALS_PER_ROUND_TRIP));
    }
  }

  function tick(): void {
    checkDeadlines();
    if (round++ % CHECKS_PER_RENEWAL === 0 && !renewing) {
      renewing = true;
      void renew()
        .catch((error: Error) => log.warn({ cause: error.message }, 'the locks cannot be reached'))
        .finally(() => {
          renewing = false;
        });
    }
    cancel = clock.after(renewIntervalMs / CHECKS_PER_RENEWAL, tick);
  }

  return {
    claim,
    isMine,
    async release(connectionId) {
      confirmedAt.delete(connectionId);
      await locks.release(lockKeyOf(connectionId), holder).catch((error: Error) => {
        log.warn({ connectionId, cause: error.message }, 'the lock was not released; it runs out');
      });
    },
    holderOf: (connectionId) => locks.holderOf(lockKeyOf(connectionId)),
    start: tick,
    stop: () => cancel(),
  };
}
