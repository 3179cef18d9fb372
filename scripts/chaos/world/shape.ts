import { DEFAULT_OWNERSHIP_TIMINGS, type OwnershipTimings } from '../../../lib/timings.ts';

/** What a scenario needs around it. Scenarios with the same one can share it, one after the other. */
export interface WorldShape {
  sessionNodes: number;
  /** accounts that were paired before, each with a contact */
  connections: number;
  /** `quick`: the protocol's times divided, for promises that are not about the default ones */
  timings: 'default' | 'quick';
  /** every session-node has ways of its own to MongoDB, Redis and WhatsApp, which can be made bad */
  partitions?: boolean;
  /** expressions can be run inside session-nodes */
  inspected?: boolean;
}

const QUICK: Partial<OwnershipTimings> = {
  lockTtlMs: 4_500,
  renewIntervalMs: 700,
  heartbeatIntervalMs: 700,
  leaseDeadlineMs: 3_000,
  ownerSilenceMs: 4_500,
  membershipReadMs: 250,
  membershipGapMs: 1_500,
  settleMs: 1_500,
};

export const timingsOf = ({ timings }: Pick<WorldShape, 'timings'>): OwnershipTimings => ({
  ...DEFAULT_OWNERSHIP_TIMINGS,
  ...(timings === 'quick' && QUICK),
});

/** The same for a process. */
export function timingsEnv(timings: OwnershipTimings): Record<string, string> {
  return {
    LOCK_TTL_MS: String(timings.lockTtlMs),
    LOCK_RENEW_MS: String(timings.renewIntervalMs),
    HEARTBEAT_MS: String(timings.heartbeatIntervalMs),
    LEASE_DEADLINE_MS: String(timings.leaseDeadlineMs),
    OWNER_SILENCE_MS: String(timings.ownerSilenceMs),
    MEMBERSHIP_READ_MS: String(timings.membershipReadMs),
    MEMBERSHIP_GAP_MS: String(timings.membershipGapMs),
    PLACEMENT_SETTLE_MS: String(timings.settleMs),
  };
}

export const shapeKey = (shape: WorldShape): string => JSON.stringify(Object.entries(shape).sort());
