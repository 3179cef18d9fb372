import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../../lib/clock.ts';
import type { Locks } from '../../../lib/cluster/locks.port.ts';
import { createMemoryLocks } from '../../../lib/cluster/memory-locks.ts';
import { createTurns } from '../../../lib/cluster/turns.ts';
import { CastellanError } from '../../../lib/errors.ts';
import { createManualClock, turns } from '../../helpers/manual-clock.ts';

const never = <T>() => new Promise<T>(() => {});

/** What of `count` processes was under way at the same time at most. */
async function mostAtOnce(locks: Pick<Locks, 'claim' | 'release'>, count: number): Promise<number> {
  let now = 0;
  let most = 0;
  const work = async () => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setTimeout(resolve, 2));
    now -= 1;
  };
  const processes = Array.from({ length: count }, (_, n) =>
    createTurns({ locks, clock: systemClock, holder: `node-${n}:1` }),
  );
  await Promise.all(processes.map((takeTurns) => takeTurns('appends', work)));
  return most;
}

describe('turns', () => {
  test('let processes go one after the other', async () => {
    expect(await mostAtOnce(createMemoryLocks({ clock: systemClock }), 6)).toBe(1);
  });

  test('are given back when the work failed', async () => {
    const locks = createMemoryLocks({ clock: systemClock });
    const takeTurns = createTurns({ locks, clock: systemClock, holder: 'a:1' });
    await expect(takeTurns('appends', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await locks.holderOf('turn:appends')).toBeNull();
  });

  test('nobody waits for long: not for a holder that does not end, and not for locks that do not answer', async () => {
    for (const held of [true, false]) {
      const clock = createManualClock();
      const memory = createMemoryLocks({ clock });
      if (held) await memory.claim('turn:appends', 'stopped:1', 60_000);
      const locks = held ? memory : { ...memory, claim: () => never<{ mine: boolean; holder: string }>() };
      let done = false;
      const takeTurns = createTurns({ locks, clock, holder: 'a:1' });
      void takeTurns('appends', async () => {
        done = true;
      });
      await clock.advance(200);
      expect(done).toBe(false);
      await clock.advance(60);
      expect(done).toBe(true);
    }
  });

  test('locks that cannot be reached are asked again after a while only', async () => {
    const clock = createManualClock();
    let asked = 0;
    const claim = async () => {
      asked += 1;
      throw new CastellanError('STORE_UNAVAILABLE');
    };
    const takeTurns = createTurns({ locks: { claim, release: async () => true }, clock, holder: 'a:1' });
    for (let n = 0; n < 5; n += 1) expect(await takeTurns('appends', async () => n)).toBe(n);
    expect(asked).toBe(1);
    await clock.advance(5_000);
    await takeTurns('appends', async () => null);
    expect(asked).toBe(2);
  });

  test('a turn that is granted after nobody waited for it any more is given back', async () => {
    const clock = createManualClock();
    const memory = createMemoryLocks({ clock });
    const answer = Promise.withResolvers<void>();
    const locks: Pick<Locks, 'claim' | 'release'> = {
      ...memory,
      async claim(...args) {
        await answer.promise;
        return memory.claim(...args);
      },
    };
    const takeTurns = createTurns({ locks, clock, holder: 'a:1' });
    const done = takeTurns('appends', async () => 'done');
    await clock.advance(300);
    expect(await done).toBe('done');
    answer.resolve();
    await turns();
    expect(await memory.holderOf('turn:appends')).toBeNull();
  });
});
