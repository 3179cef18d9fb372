import type { Locks } from '../../../lib/cluster/locks.port.ts';
import { createMemoryLocks } from '../../../lib/cluster/memory-locks.ts';
import { CastellanError } from '../../../lib/errors.ts';
import { silentLog } from '../../../lib/log.ts';
import { createLeaseKeeper, DEFAULT_LEASE_TIMINGS, lockKeyOf } from '../../../lib/session/lease-keeper.ts';
import { createManualClock, turns } from '../../helpers/manual-clock.ts';

const CONNECTION = 'con_one';

function setUp(wrap: (locks: Locks) => Locks = (locks) => locks) {
  const clock = createManualClock();
  const locks = createMemoryLocks({ clock });
  const lost: string[] = [];
  const keeper = createLeaseKeeper({
    locks: wrap(locks),
    clock,
    log: silentLog,
    holder: 'node:1',
    timings: DEFAULT_LEASE_TIMINGS,
    onLost: (connectionId) => lost.push(connectionId),
  });
  return { clock, locks, lost, keeper };
}

describe('the lease keeper', () => {
  it('holds a lock for as long as it renews', async () => {
    const { clock, locks, lost, keeper } = setUp();
    keeper.start();
    expect(await keeper.claim(CONNECTION)).toBe(true);
    await clock.advance(60_000);
    expect(keeper.isMine(CONNECTION)).toBe(true);
    expect(await locks.holderOf(lockKeyOf(CONNECTION))).toBe('node:1');
    expect(lost).toEqual([]);
  });

  it('does not get what another holds', async () => {
    const { locks, keeper } = setUp();
    await locks.claim(lockKeyOf(CONNECTION), 'node:2', 10_000);
    expect(await keeper.claim(CONNECTION)).toBe(false);
    expect(keeper.isMine(CONNECTION)).toBe(false);
  });

  it('is over at once when another holds it', async () => {
    const { clock, locks, lost, keeper } = setUp();
    await keeper.claim(CONNECTION);
    await locks.release(lockKeyOf(CONNECTION), 'node:1');
    await locks.claim(lockKeyOf(CONNECTION), 'node:2', 60_000);
    keeper.start();
    await clock.advance(2_000);
    expect(lost).toEqual([CONNECTION]);
    expect(keeper.isMine(CONNECTION)).toBe(false);
  });

  it('claims again what the locks forgot', async () => {
    const { clock, locks, lost, keeper } = setUp();
    await keeper.claim(CONNECTION);
    await locks.release(lockKeyOf(CONNECTION), 'node:1');
    keeper.start();
    await clock.advance(2_000);
    expect(await locks.holderOf(lockKeyOf(CONNECTION))).toBe('node:1');
    expect(lost).toEqual([]);
  });

  it('keeps an unreachable lock until the deadline and not longer', async () => {
    const unreachable = () => Promise.reject(new CastellanError('STORE_UNAVAILABLE'));
    const { clock, lost, keeper } = setUp((locks) => ({ ...locks, renew: unreachable }));
    await keeper.claim(CONNECTION);
    keeper.start();
    await clock.advance(6_900);
    expect(keeper.isMine(CONNECTION)).toBe(true);
    await clock.advance(100);
    expect(keeper.isMine(CONNECTION)).toBe(false);
    await clock.advance(500);
    expect(lost).toEqual([CONNECTION]);
  });

  it('counts from before a renewal was sent, and takes nothing from one that is late', async () => {
    const answers: (() => void)[] = [];
    const { clock, lost, keeper } = setUp((locks) => ({
      ...locks,
      renew: (keys) => new Promise((resolve) => answers.push(() => resolve(keys.map(() => 'renewed' as const)))),
    }));
    await keeper.claim(CONNECTION);
    keeper.start();
    await clock.advance(7_000);
    expect(keeper.isMine(CONNECTION)).toBe(false);
    for (const answer of answers) answer();
    await turns();
    expect(keeper.isMine(CONNECTION)).toBe(false);
    expect(lost).toEqual([CONNECTION]);
  });

  it('gives a lock up', async () => {
    const { locks, keeper } = setUp();
    await keeper.claim(CONNECTION);
    await keeper.release(CONNECTION);
    expect(await locks.holderOf(lockKeyOf(CONNECTION))).toBeNull();
    expect(keeper.isMine(CONNECTION)).toBe(false);
  });
});
