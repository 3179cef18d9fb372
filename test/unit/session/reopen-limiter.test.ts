import { createLimiter, REOPEN_LIMIT } from '../../../lib/session/reopen-limiter.ts';
import { DEFAULT_OWNERSHIP_TIMINGS } from '../../../lib/timings.ts';
import { createManualClock } from '../../helpers/manual-clock.ts';

const { claimsPerSecond, claimBurst } = DEFAULT_OWNERSHIP_TIMINGS;
const CLAIMS = { perSecond: claimsPerSecond, burst: claimBurst };

/** When each of `count` requests that come at once may go, ms from now. */
function times(limit: { perSecond: number; burst: number }, count: number): number[] {
  const limiter = createLimiter(limit, createManualClock());
  return Array.from({ length: count }, () => limiter.reserve());
}

function mostInOneSecond(at: readonly number[]): number {
  return Math.max(...at.map((start) => at.filter((time) => time >= start && time < start + 1_000).length));
}

describe('the reopen limiter', () => {
  it('lets a single reopen go at once', () => {
    expect(times(REOPEN_LIMIT, 1)).toEqual([0]);
  });

  it('lets at most 10 reopens go in any second', () => {
    expect(mostInOneSecond(times(REOPEN_LIMIT, 200))).toBeLessThanOrEqual(10);
  });

  it('lets 50 claims go at once, then 30 a second', () => {
    const at = times(CLAIMS, 110);
    expect(at.filter((time) => time === 0)).toHaveLength(50);
    expect(at.filter((time) => time > 0 && time <= 1_000.001)).toHaveLength(30);
  });

  it('is full again after a quiet time, and not fuller', async () => {
    const clock = createManualClock();
    const limiter = createLimiter(CLAIMS, clock);
    for (let n = 0; n < 80; n += 1) limiter.reserve();
    await clock.advance(60_000);
    const at = Array.from({ length: 60 }, () => limiter.reserve());
    expect(at.filter((time) => time === 0)).toHaveLength(50);
  });
});
