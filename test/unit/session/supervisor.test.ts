import fc from 'fast-check';
import {
  DEFAULT_SUPERVISOR_TIMINGS as DEFAULTS,
  type Decision,
  decide,
  type EndHistory,
  NO_HISTORY,
  type Situation,
} from '../../../lib/session/supervisor.ts';

const WALL_NOW = Date.UTC(2026, 5, 1);
const situation: Situation = {
  now: 1_000_000,
  wallNow: WALL_NOW,
  openForMs: 5_000,
  registered: true,
  lockIsMine: true,
  canaryIsFree: true,
};

interface Given {
  end?: Partial<Parameters<typeof decide>[0]>;
  history?: Partial<EndHistory>;
  situation?: Partial<Situation>;
  random?: number;
}

function judge(code: number, given: Given = {}): Decision {
  const end = { code, reason: 'as the simulator says', ...given.end };
  const history = { ...NO_HISTORY, ...given.history };
  return decide(end, history, { ...situation, ...given.situation }, DEFAULTS, () => given.random ?? 0.5);
}

/** The same end again and again, each a millisecond after the other. */
function repeat(code: number, times: number, given: Given = {}): Decision {
  let decision = judge(code, given);
  for (let time = 1; time < times; time += 1) {
    decision = judge(code, {
      ...given,
      history: decision.history,
      situation: { ...given.situation, now: situation.now + time },
    });
  }
  return decision;
}

describe('the supervisor table', () => {
  it.each([
    [401, 'logged_out'],
    [403, 'locked'],
    [406, 'banned'],
    [409, 'failed'],
    [411, 'needs_pairing'],
  ])('%i parks as %s', (code, status) => {
    expect(judge(code)).toMatchObject({ status, next: { kind: 'park' } });
  });

  it.each([408, 428, 500, 503])('%i reconnects after a backoff', (code) => {
    expect(judge(code)).toMatchObject({ status: 'reconnecting', next: { kind: 'reconnect' }, degraded: false });
  });

  it('402 sleeps until the end of the ban', () => {
    const expiresAt = WALL_NOW + 3_600_000;
    const decision = judge(402, { end: { expiresAt } });
    expect(decision).toMatchObject({ status: 'restricted', next: { kind: 'sleep', until: expiresAt } });
    expect(decision.reason).toContain(new Date(expiresAt).toISOString());
  });

  it('402 without an end sleeps for the fallback', () => {
    expect(judge(402).next).toEqual({ kind: 'sleep', until: WALL_NOW + DEFAULTS.banFallbackMs });
  });

  it('405 lets one connection of the node try once, and alerts', () => {
    const first = judge(405);
    expect(first).toMatchObject({ status: 'outdated', takesCanary: true, alert: true });
    expect(first.next).toMatchObject({ kind: 'reconnect' });
    expect(judge(405, { history: first.history })).toMatchObject({ status: 'outdated', next: { kind: 'park' } });
  });

  it('405 parks where another connection has the try', () => {
    const decision = judge(405, { situation: { canaryIsFree: false } });
    expect(decision).toMatchObject({ status: 'outdated', takesCanary: false, next: { kind: 'park' } });
  });

  it('408 with the codes used up while pairing is qr_expired', () => {
    const decision = judge(408, { end: { pairingExpired: true }, situation: { registered: false, openForMs: null } });
    expect(decision).toMatchObject({ status: 'qr_expired', next: { kind: 'park' } });
  });

  it('408 while pairing with codes left reconnects', () => {
    expect(judge(408, { situation: { registered: false, openForMs: null } }).next.kind).toBe('reconnect');
  });

  it('409 alerts', () => {
    expect(judge(409).alert).toBe(true);
  });

  it('440 yields silently where the lock is not provably mine', () => {
    expect(judge(440, { situation: { lockIsMine: false } }).next).toEqual({ kind: 'yield' });
  });

  it('440 retries once after 30 s and jitter', () => {
    expect(judge(440, { random: 0 })).toMatchObject({
      status: 'reconnecting',
      next: { kind: 'reconnect', delayMs: 30_000 },
    });
    expect(judge(440, { random: 0.999 }).next).toMatchObject({ delayMs: expect.closeTo(39_990, 0) });
  });

  it('440 a second time within 10 min is a conflict', () => {
    const { history } = judge(440);
    const within = judge(440, { history, situation: { now: situation.now + DEFAULTS.conflictWindowMs } });
    expect(within).toMatchObject({ status: 'conflict', next: { kind: 'park' } });
  });

  it('440 a second time after 10 min is a first one, however long it was open in between', () => {
    const { history } = judge(440);
    const later = { now: situation.now + DEFAULTS.conflictWindowMs + 1, openForMs: DEFAULTS.conflictWindowMs };
    expect(judge(440, { history, situation: later }).next.kind).toBe('reconnect');
  });

  it('440 stays a conflict when it was stable in between', () => {
    const { history } = judge(440);
    const soon = { now: situation.now + 200_000, openForMs: 100_000 };
    expect(judge(440, { history, situation: soon }).status).toBe('conflict');
  });

  it('500 five times in 10 min is degraded, four times are not', () => {
    expect(repeat(500, 4)).toMatchObject({ status: 'reconnecting', degraded: false });
    expect(repeat(500, 5)).toMatchObject({ status: 'reconnecting', degraded: true, next: { kind: 'reconnect' } });
  });

  it('500 forgets what is older than 10 min', () => {
    const { history } = repeat(500, 5);
    const later = judge(500, { history, situation: { now: situation.now + DEFAULTS.streamErrorWindowMs + 10 } });
    expect(later.degraded).toBe(false);
  });

  it('stays degraded through another kind of end', () => {
    const { history } = repeat(500, 5);
    expect(judge(428, { history, situation: { now: situation.now + 100 } }).degraded).toBe(true);
  });

  it('503 waits at least 5 s', () => {
    expect(judge(503, { random: 0 }).next).toMatchObject({ delayMs: 5_000 });
  });

  it('515 reconnects at once', () => {
    const decision = judge(515, { situation: { openForMs: null } });
    expect(decision).toMatchObject({ status: 'connecting', next: { kind: 'reconnect', delayMs: 0 } });
  });

  it('515 again and again backs off', () => {
    const decision = repeat(515, 4, { situation: { openForMs: null }, random: 0.9 });
    expect(decision.status).toBe('reconnecting');
    expect(decision.next).toMatchObject({ kind: 'reconnect', delayMs: expect.closeTo(900, 0) });
  });

  it('takes a code that it does not know as 500', () => {
    expect(judge(599)).toMatchObject({ status: 'reconnecting', next: { kind: 'reconnect' } });
    expect(repeat(599, 5).degraded).toBe(true);
  });
});

describe('backoff', () => {
  it('doubles from 1 s to the cap of 60 s, with full jitter', () => {
    const delays = Array.from({ length: 10 }, (_, attempts) => {
      const { next } = judge(408, { history: { attempts }, random: 0.999_999, situation: { openForMs: null } });
      return next.kind === 'reconnect' ? Math.round(next.delayMs / 1_000) : null;
    });
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
    expect(judge(408, { history: { attempts: 9 }, random: 0 }).next).toEqual({ kind: 'reconnect', delayMs: 0 });
  });

  it('begins anew only after 60 s of being open', () => {
    const history = { attempts: 5 };
    expect(judge(408, { history, situation: { openForMs: 59_999 } }).history.attempts).toBe(6);
    expect(judge(408, { history, situation: { openForMs: 60_000 } }).history.attempts).toBe(1);
  });

  it('never leaves its bounds, whatever came before', () => {
    const codes = fc.constantFrom(408, 428, 500, 503, 599);
    const property = fc.property(
      codes,
      fc.nat(),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (code, attempts, x) => {
        const { next } = judge(code, { history: { attempts }, random: x, situation: { openForMs: null } });
        expect(next.kind).toBe('reconnect');
        if (next.kind !== 'reconnect') return;
        expect(next.delayMs).toBeGreaterThanOrEqual(code === 503 ? DEFAULTS.unavailableBaseMs : 0);
        expect(next.delayMs).toBeLessThanOrEqual(DEFAULTS.backoffCapMs);
      },
    );
    fc.assert(property, { verbose: true });
  });
});
