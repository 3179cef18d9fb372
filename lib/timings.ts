/**
 * Every time and rate of the ownership protocol (see lib/cluster/ownership.ts), in one place, because they only mean
 * something together. All in milliseconds unless the name says otherwise.
 */
export interface OwnershipTimings {
  /** LOCK_TTL_MS: how long a lock lives without renewal. Default 10,000 */
  lockTtlMs: number;
  /** LOCK_RENEW_MS: between two renewals of all locks of a node. Default 2,000; three must fit into the ttl */
  renewIntervalMs: number;
  /** HEARTBEAT_MS: between two heartbeats of a node. Default 2,000; three must fit into the silence */
  heartbeatIntervalMs: number;
  /**
   * LEASE_DEADLINE_MS: how long a confirmation (a renewal or a heartbeat) is believed, from before it was sent. Default
   * 7,000; at least 1,000 below ttl and silence
   */
  leaseDeadlineMs: number;
  /** OWNER_SILENCE_MS: how long an owner's heartbeat must have stood still before another may claim. Default 10,000 */
  ownerSilenceMs: number;
  /** MEMBERSHIP_READ_MS: between two looks at the heartbeats of all nodes. Default 500 */
  membershipReadMs: number;
  /** MEMBERSHIP_GAP_MS: a longer gap between two looks begins every watch anew. Default 3,000; four looks must fit into it */
  membershipGapMs: number;
  /** PLACEMENT_SETTLE_MS: how long the ring must say the same before a running session moves or a new node claims. Default 3,000 */
  settleMs: number;
  /** CLAIMS_PER_SECOND: claims, takeovers and moves of a node, after a burst of CLAIM_BURST. Default 30 */
  claimsPerSecond: number;
  /** CLAIM_BURST. Default 50 */
  claimBurst: number;
  /** DRAIN_TIMEOUT_MS: when a shutdown stops being polite. Default 60,000 */
  drainTimeoutMs: number;
}

export const DEFAULT_OWNERSHIP_TIMINGS: OwnershipTimings = {
  lockTtlMs: 10_000,
  renewIntervalMs: 2_000,
  heartbeatIntervalMs: 2_000,
  leaseDeadlineMs: 7_000,
  ownerSilenceMs: 10_000,
  membershipReadMs: 500,
  membershipGapMs: 3_000,
  settleMs: 3_000,
  claimsPerSecond: 30,
  claimBurst: 50,
  drainTimeoutMs: 60_000,
};

/** What a stop does besides the drain of its sessions: answers and calls under way, stores that are closed. */
const EXIT_MARGIN_MS = 25_000;
/** between the end of a preStop hook and the signal that follows it */
const PRE_STOP_MARGIN_MS = 5_000;

/** How long a process that was asked to stop takes at most, ms; then it leaves by force. */
export function stopTimeoutMs({ drainTimeoutMs }: Pick<OwnershipTimings, 'drainTimeoutMs'>): number {
  return drainTimeoutMs + EXIT_MARGIN_MS;
}

/** What Kubernetes (`terminationGracePeriodSeconds`) or compose (`stop_grace_period`) must grant before they kill, s. */
export function terminationGraceSeconds(timings: Pick<OwnershipTimings, 'drainTimeoutMs'>): number {
  return Math.ceil((stopTimeoutMs(timings) + PRE_STOP_MARGIN_MS) / 1000);
}

/** A holder must be gone for this long before anybody can think that it is. */
const SAFETY_MS = 1_000;

/** @returns what does not fit together, in the words of the environment; null when everything does */
export function contradictionIn(timings: OwnershipTimings): string | null {
  const rules: [boolean, string][] = [
    [timings.renewIntervalMs * 3 <= timings.lockTtlMs, 'LOCK_RENEW_MS must fit three times into LOCK_TTL_MS'],
    [
      timings.heartbeatIntervalMs * 3 <= timings.ownerSilenceMs,
      'HEARTBEAT_MS must fit three times into OWNER_SILENCE_MS',
    ],
    [
      timings.leaseDeadlineMs + SAFETY_MS <= Math.min(timings.lockTtlMs, timings.ownerSilenceMs),
      `LEASE_DEADLINE_MS must be ${SAFETY_MS} below LOCK_TTL_MS and OWNER_SILENCE_MS`,
    ],
    [
      Math.max(timings.renewIntervalMs, timings.heartbeatIntervalMs) * 2 < timings.leaseDeadlineMs,
      'LOCK_RENEW_MS and HEARTBEAT_MS must fit more than twice into LEASE_DEADLINE_MS',
    ],
    [
      timings.membershipReadMs * 4 <= timings.membershipGapMs,
      'MEMBERSHIP_READ_MS must fit four times into MEMBERSHIP_GAP_MS',
    ],
    [timings.membershipGapMs < timings.ownerSilenceMs, 'MEMBERSHIP_GAP_MS must be below OWNER_SILENCE_MS'],
  ];
  return rules.find(([holds]) => !holds)?.[1] ?? null;
}
