import { systemClock } from '../../../lib/clock.ts';
import { createLeadership, type Leadership } from '../../../lib/cluster/leadership.ts';
import type { Locks } from '../../../lib/cluster/locks.port.ts';
import { createMemoryLocks } from '../../../lib/cluster/memory-locks.ts';
import { CastellanError } from '../../../lib/errors.ts';
import { silentLog } from '../../../lib/log.ts';
import { eventually } from '../../helpers/eventually.ts';

const TTL_MS = 150;
let locks: Locks;
let candidates: Leadership[];

function candidate(holder: string, use: Locks = locks, onGained?: () => void): Leadership {
  const options = { locks: use, clock: systemClock, log: silentLog, key: 'lead:test', holder, ttlMs: TTL_MS };
  const made = createLeadership({ ...options, ...(onGained ? { onGained } : {}) });
  candidates.push(made);
  return made;
}

beforeEach(() => {
  locks = createMemoryLocks({ clock: systemClock });
  candidates = [];
});

afterEach(async () => {
  for (const each of candidates) await each.stop();
  await locks.close();
});

describe('leadership', () => {
  test('is one candidate’s at a time and outlasts the TTL while it lives', async () => {
    const [first, second] = [candidate('a:1'), candidate('b:1')];
    await first.start();
    await second.start();
    const until = performance.now() + 3 * TTL_MS;
    await eventually(() => {
      expect([first.isLeader(), second.isLeader()]).toEqual([true, false]);
      expect(performance.now()).toBeGreaterThan(until);
    });
  });

  test('passes on when the leader stops, which is told once', async () => {
    let gained = 0;
    const first = candidate('a:1');
    const second = candidate('b:1', locks, () => {
      gained += 1;
    });
    await first.start();
    await second.start();
    await first.stop();
    expect(first.isLeader()).toBe(false);
    await eventually(() => expect(second.isLeader()).toBe(true));
    expect(gained).toBe(1);
  });

  describe('while the locks cannot be reached', () => {
    let down = false;
    const unsteady = (): Locks => ({
      ...locks,
      async claim(key, holder, ttlMs) {
        if (down) throw new CastellanError('STORE_UNAVAILABLE');
        return locks.claim(key, holder, ttlMs);
      },
    });
    beforeEach(() => {
      down = false;
    });

    test('the leader goes on: nobody else can claim either', async () => {
      const leader = candidate('a:1', unsteady());
      await leader.start();
      down = true;
      const until = performance.now() + 4 * TTL_MS;
      await eventually(() => {
        expect(leader.isLeader()).toBe(true);
        expect(performance.now()).toBeGreaterThan(until);
      });
    });

    test('a leader that died is replaced after twice the TTL; afterwards one leads', async () => {
      const [first, second, third] = [candidate('a:1'), candidate('b:1', unsteady()), candidate('c:1', unsteady())];
      await first.start();
      await second.start();
      await third.start();
      down = true;
      await first.stop();
      expect([second.isLeader(), third.isLeader()]).toEqual([false, false]);
      await eventually(() => expect([second.isLeader(), third.isLeader()]).toEqual([true, true]));
      down = false;
      await eventually(() => expect([second.isLeader(), third.isLeader()].sort()).toEqual([false, true]));
    });
  });

  test('one leads again after the locks forgot everything', async () => {
    const [first, second] = [candidate('a:1'), candidate('b:1')];
    await first.start();
    await second.start();
    await locks.release('lead:test', 'a:1');
    const until = performance.now() + 2 * TTL_MS;
    await eventually(() => {
      expect([first.isLeader(), second.isLeader()].filter(Boolean)).toHaveLength(1);
      expect(performance.now()).toBeGreaterThan(until);
    });
  });
});
