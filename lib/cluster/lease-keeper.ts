import type { Clock } from '../clock.ts';
import { CastellanError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { OwnershipTimings } from '../timings.ts';
import { createClockWatch } from './clock-watch.ts';
import type { Lease, Standing } from './lease.port.ts';
import type { Locks } from './locks.port.ts';

/**
 * Holds the leases of everything that runs on this node and says, without asking anybody, whether they are still ours.
 *
 * A lease is confirmed by its lock (claimed or renewed) and, once this node is the session's recorded owner, by the
 * node's heartbeat. Whoever wants to claim needs both to be silent for longer than `leaseDeadlineMs`, so a lease is good
 * until `leaseDeadlineMs` after the *later* of the two was *sent*: losing Redis alone, or MongoDB alone, drops nobody.
 * Once that moment has passed the lease is over for good: an answer that comes later counts for nothing, and a process
 * that was stopped and wakes up does not write one byte.
 *
 * After a jump of the wall clock (this machine may have been suspended, its monotonic clock with it) only a lock that is
 * renewed proves that nobody else was here meanwhile. A heartbeat does not: it is stored whoever runs the session by then.
 *
 * A renewal has four outcomes: renewed; missing (the locks forgot: claimed again, unless the deadline passed); lost
 * (someone else holds it: over at once); unreachable (nobody else can claim either: the deadline decides).
 */
export interface LeaseKeeper {
  /** The number that the next lock is claimed with, see the locks' port. */
  nextNumber(): number;
  /** The lock was obtained under `number` by a command that was sent at `sentAt` (monotonic): the lease begins. */
  begin(connectionId: string, number: number, sentAt: number): OwnedLease;
  /** Gives it up. Never throws: a lock that cannot be released runs out. */
  release(lease: OwnedLease): Promise<void>;
  /** A heartbeat of this node is stored, sent at `sentAt` (monotonic). */
  heartbeatConfirmed(sentAt: number): void;
  /** Another process has this node's seat: every lease is over. */
  endAll(why: string): void;
  start(): void;
  stop(): void;
}

export interface OwnedLease extends Lease {
  readonly connectionId: string;
  /** From now on the journal names this node as the owner, so that its heartbeats confirm the lease too. */
  recorded(): void;
}

export interface LeaseKeeperOptions {
  locks: Pick<Locks, 'claim' | 'renew' | 'release'>;
  clock: Clock;
  log: Log;
  /** `nodeId:incarnation` */
  holder: string;
  timings: Pick<OwnershipTimings, 'lockTtlMs' | 'renewIntervalMs' | 'leaseDeadlineMs'>;
  /** the lease is over; called once, not for those that were released */
  onOver(connectionId: string): void;
  /** confirmations are void: whoever can send a heartbeat should do it now */
  onClockJump(): void;
}

interface LeaseRecord {
  connectionId: string;
  /** of its lock */
  number: number;
  /** when the latest confirmed claim or renewal of the lock was sent */
  lockSentAt: number;
  recorded: boolean;
  over: boolean;
  /** waits for a proof after a jump of the clock */
  proof: PromiseWithResolvers<void> | null;
}

const RENEWALS_PER_ROUND_TRIP = 500;
const CHECKS_PER_RENEWAL = 4;

export function lockKeyOf(connectionId: string): string {
  return `connection:${connectionId}`;
}

export function createLeaseKeeper(options: LeaseKeeperOptions): LeaseKeeper {
  const { locks, clock, log, holder, timings, onOver, onClockJump } = options;
  const { lockTtlMs, renewIntervalMs, leaseDeadlineMs } = timings;
  const leases = new Map<string, LeaseRecord>();
  const faces = new WeakMap<OwnedLease, LeaseRecord>();
  const clockJumped = createClockWatch(clock);
  let heartbeatSentAt = Number.NEGATIVE_INFINITY;
  /** what was sent before proves nothing about the present */
  let voidBefore = Number.NEGATIVE_INFINITY;
  let lastNumber = 0;
  let round = 0;
  let renewing = false;
  let cancel: () => void = () => {};

  function confirmedAt({ lockSentAt, recorded }: LeaseRecord): number {
    return recorded ? Math.max(lockSentAt, heartbeatSentAt) : lockSentAt;
  }

  function standing(lease: LeaseRecord): Standing {
    if (lease.over) return 'over';
    noticeJump();
    const now = clock.monotonic();
    const unproven = lease.lockSentAt <= voidBefore;
    if (now >= confirmedAt(lease) + leaseDeadlineMs) end(lease, 'deadline');
    else if (unproven && now >= voidBefore + leaseDeadlineMs) end(lease, 'not proven after a jump of the clock');
    if (lease.over) return 'over';
    return unproven ? 'unproven' : 'mine';
  }

  function noticeJump(): void {
    if (!clockJumped()) return;
    voidBefore = clock.monotonic();
    log.warn({ leases: leases.size }, 'the clock jumped: nothing is written before the leases are proven anew');
    onClockJump();
    renewSoon();
  }

  function end(lease: LeaseRecord, why: string): void {
    if (lease.over) return;
    close(lease);
    log.warn({ connectionId: lease.connectionId, why }, 'lease lost');
    onOver(lease.connectionId);
  }

  function close(lease: LeaseRecord): void {
    lease.over = true;
    if (leases.get(lease.connectionId) === lease) leases.delete(lease.connectionId);
    lease.proof?.promise.catch(() => {});
    lease.proof?.reject(new CastellanError('SESSION_FENCED'));
    lease.proof = null;
  }

  function settleProofs(): void {
    for (const lease of leases.values()) {
      if (!lease.proof || standing(lease) !== 'mine') continue;
      lease.proof.resolve();
      lease.proof = null;
    }
  }

  function proven(lease: LeaseRecord): Promise<void> {
    const now = standing(lease);
    if (now === 'mine') return Promise.resolve();
    if (now === 'over') return Promise.reject(new CastellanError('SESSION_FENCED'));
    lease.proof ??= Promise.withResolvers();
    return lease.proof.promise;
  }

  async function renewBatch(batch: readonly LeaseRecord[]): Promise<void> {
    const sentAt = clock.monotonic();
    const keys = batch.map(({ connectionId }) => lockKeyOf(connectionId));
    const numbers = batch.map(({ number }) => number);
    const outcomes = await locks.renew(keys, holder, lockTtlMs, numbers);
    const forgotten: LeaseRecord[] = [];
    for (const [index, lease] of batch.entries()) {
      /* first of all: what came too late counts for nothing */
      if (standing(lease) === 'over') continue;
      if (outcomes[index] === 'renewed') lease.lockSentAt = sentAt;
      else if (outcomes[index] === 'lost') end(lease, 'held by another');
      else forgotten.push(lease);
    }
    settleProofs();
    await Promise.all(forgotten.map(claimForgotten));
  }

  async function claimForgotten(lease: LeaseRecord): Promise<void> {
    const now = standing(lease);
    if (now === 'over') return;
    /* it may have been another's meanwhile: that it can be had again proves nothing */
    if (now === 'unproven') return end(lease, 'forgotten while the clock jumped');
    const sentAt = clock.monotonic();
    const { connectionId, number } = lease;
    const { mine } = await locks.claim(lockKeyOf(connectionId), holder, lockTtlMs, { lease: number });
    if (standing(lease) === 'over') return;
    if (!mine) return end(lease, 'forgotten, then taken');
    lease.lockSentAt = sentAt;
    settleProofs();
  }

  async function renew(): Promise<void> {
    const all = [...leases.values()];
    const batches = Array.from({ length: Math.ceil(all.length / RENEWALS_PER_ROUND_TRIP) }, (_, n) =>
      all.slice(n * RENEWALS_PER_ROUND_TRIP, (n + 1) * RENEWALS_PER_ROUND_TRIP),
    );
    await Promise.all(batches.map(renewBatch));
  }

  function renewSoon(): void {
    if (renewing) {
      round = 0;
      return;
    }
    renewing = true;
    void renew()
      .catch((error: Error) => log.warn({ cause: error.message }, 'the locks cannot be reached'))
      .finally(() => {
        renewing = false;
      });
  }

  function tick(): void {
    for (const lease of [...leases.values()]) standing(lease);
    if (round++ % CHECKS_PER_RENEWAL === 0) renewSoon();
    cancel = clock.after(renewIntervalMs / CHECKS_PER_RENEWAL, tick);
  }

  return {
    nextNumber() {
      lastNumber += 1;
      return lastNumber;
    },
    begin(connectionId, number, sentAt) {
      const former = leases.get(connectionId);
      if (former) close(former);
      const lease: LeaseRecord = {
        connectionId,
        number,
        lockSentAt: sentAt,
        recorded: false,
        over: false,
        proof: null,
      };
      const face = {
        connectionId,
        standing: () => standing(lease),
        proven: () => proven(lease),
        recorded() {
          lease.recorded = true;
        },
      };
      leases.set(connectionId, lease);
      faces.set(face, lease);
      return face;
    },
    async release(lease) {
      const record = faces.get(lease);
      if (!record) return;
      close(record);
      await locks.release(lockKeyOf(lease.connectionId), holder, record.number).catch((error: Error) => {
        log.warn({ connectionId: lease.connectionId, cause: error.message }, 'the lock was not released; it runs out');
      });
    },
    heartbeatConfirmed(sentAt) {
      /* whose deadline passed before this answer came does not live again */
      for (const lease of [...leases.values()]) standing(lease);
      heartbeatSentAt = Math.max(heartbeatSentAt, sentAt);
      settleProofs();
    },
    endAll(why) {
      for (const lease of [...leases.values()]) end(lease, why);
    },
    start: tick,
    stop: () => cancel(),
  };
}
