import { DEFAULT_RETRY_SCHEDULE, nextDelayMs, parseRetryAfterMs } from '../../../lib/webhooks/retry-schedule.ts';

const middle = () => 0.5;

describe('retry schedule', () => {
  test('waits 1 s, 5 s and 30 s, then gives up', () => {
    const waits = [1, 2, 3, 4].map((tries) => nextDelayMs(DEFAULT_RETRY_SCHEDULE, tries, null, middle));
    expect(waits).toEqual([1_000, 5_000, 30_000, null]);
  });

  test('spreads a wait by a fifth', () => {
    expect(nextDelayMs(DEFAULT_RETRY_SCHEDULE, 2, null, () => 0)).toBe(4_000);
    expect(nextDelayMs(DEFAULT_RETRY_SCHEDULE, 2, null, () => 0.999_999)).toBe(6_000);
  });

  test('respects Retry-After, up to an hour, and never tries sooner for it', () => {
    expect(nextDelayMs(DEFAULT_RETRY_SCHEDULE, 1, 120_000, middle)).toBe(120_000);
    expect(nextDelayMs(DEFAULT_RETRY_SCHEDULE, 1, 86_400_000, middle)).toBe(3_600_000);
    expect(nextDelayMs(DEFAULT_RETRY_SCHEDULE, 3, 0, middle)).toBe(30_000);
    expect(nextDelayMs(DEFAULT_RETRY_SCHEDULE, 4, 1_000, middle)).toBeNull();
  });

  test('reads Retry-After as seconds or as a date', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(parseRetryAfterMs('120', now)).toBe(120_000);
    expect(parseRetryAfterMs('Thu, 01 Jan 2026 00:01:00 GMT', now)).toBe(60_000);
    expect(parseRetryAfterMs('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0);
    for (const header of [undefined, '', 'soon', '9'.repeat(30)]) expect(parseRetryAfterMs(header, now)).toBeNull();
  });
});
