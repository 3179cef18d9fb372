/**
 * When a delivery that failed is tried again: one row a retry. A full day's schedule is a longer table.
 */
export interface RetrySchedule {
  /** wait before retry 1, 2, 3, ... in ms; none left = the delivery has failed */
  delaysMs: readonly number[];
  /** each wait is drawn from `delay * (1 ± jitter)`; 0 = none */
  jitter: number;
  /** the longest wait that a receiver's Retry-After can ask for, ms */
  maxRetryAfterMs: number;
}

export const DEFAULT_RETRY_SCHEDULE: RetrySchedule = {
  delaysMs: [1_000, 5_000, 30_000],
  jitter: 0.2,
  maxRetryAfterMs: 60 * 60_000,
};

/**
 * @param tries attempts that were made in this round, the one that just failed included
 * @param retryAfterMs what the receiver asked for, null = nothing
 * @param random 0 <= random < 1
 * @returns how long to wait before the next attempt in ms, or null when the schedule is used up
 */
export function nextDelayMs(
  schedule: RetrySchedule,
  tries: number,
  retryAfterMs: number | null,
  random: () => number = Math.random,
): number | null {
  const delay = schedule.delaysMs[tries - 1];
  if (delay === undefined) return null;
  const jittered = delay * (1 + schedule.jitter * (2 * random() - 1));
  return Math.round(Math.max(jittered, Math.min(retryAfterMs ?? 0, schedule.maxRetryAfterMs)));
}

/**
 * @param header `120` (seconds) or an HTTP date (RFC 9110, section 10.2.3)
 * @returns ms from now, null when there is none or it cannot be read
 */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}
