import { createLeaseKeeper, lockKeyOf } from '../../../lib/cluster/lease-keeper.ts';
import type { Locks } from '../../../lib/cluster/locks.port.ts';
import { createMemoryLocks } from '../../../lib/cluster/memory-locks.ts';
import { CastellanError } from '../../../lib/errors.ts';
import { silentLog } from '../../../lib/log.ts';
import { DEFAULT_OWNERSHIP_TIMINGS } from '../../../lib/timings.ts';
import { createManualClock, turns } from '../../helpers/manual-clock.ts';

const CONNECTION = 'con_one';
const KEY = lockKeyOf(CONNECTION);
const TTL_MS = DEFAULT_OWNERSHIP_TIMINGS.lockTtlMs;

/** A keeper with the lease of one connection, whose lock it holds. */
async function setUp(wrap: (locks: Locks) => Locks = (locks) => locks) {
  const clock = createManualClock();
  const locks = createMemoryLocks({ clock });
  const lost: string[] = [];
  let jumps = 0;
  const keeper = createLeaseKeeper({
    locks: wrap(locks),
    clock,
    log: silentLog,
    holder: 'node:1',
    timings: DEFAULT_OWNERSHIP_TIMINGS,
    onOver: (connectionId) => lost.push(connectionId),
    onClockJump: () => {
      jumps += 1;
    },
  });
  const number = keeper.nextNumber();
  await locks.claim(KEY, 'node:1', TTL_MS, { lease: number });
  const lease = keeper.begin(CONNECTION, number, clock.monotonic());
  return { clock, locks, lost, keeper, lease, jumps: () => jumps };
}

const unreachable = () => Promise.reject(new CastellanError('STORE_UNAVAILABLE'));
const withoutRedis = (locks: Locks): Locks => ({ ...locks, renew: unreachable, claim: unreachable });

describe('the lease keeper', () => {
  it('holds a lock for as long as it renews', async () => {
    const { clock, locks, lost, keeper, lease } = await setUp();
    keeper.start();
    await clock.advance(60_000);
    expect(lease.standing()).toBe('mine');
    expect(await locks.holderOf(KEY)).toBe('node:1');
    expect(lost).toEqual([]);
  });

  it('is over at once when another holds it', async () => {
    const { clock, locks, lost, keeper, lease } = await setUp();
    await locks.release(KEY, 'node:1', 1);
    await locks.claim(KEY, 'node:2', 60_000);
    keeper.start();
    await clock.advance(1);
    expect(lost).toEqual([CONNECTION]);
    expect(lease.standing()).toBe('over');
  });

  it('claims again what the locks forgot', async () => {
    const { clock, locks, lost, keeper } = await setUp();
    await locks.release(KEY, 'node:1', 1);
    keeper.start();
    await clock.advance(1);
    expect(await locks.holderOf(KEY)).toBe('node:1');
    expect(lost).toEqual([]);
  });

  it('keeps an unreachable lock until the deadline and not longer', async () => {
    const { clock, lost, keeper, lease } = await setUp(withoutRedis);
    keeper.start();
    await clock.advance(6_900);
    expect(lease.standing()).toBe('mine');
    await clock.advance(100);
    expect(lease.standing()).toBe('over');
    expect(lost).toEqual([CONNECTION]);
  });

  it('lives on heartbeats alone while Redis is away, once the journal names this node', async () => {
    const { clock, lost, keeper, lease } = await setUp(withoutRedis);
    keeper.start();
    lease.recorded();
    for (let second = 0; second < 60; second += 2) {
      keeper.heartbeatConfirmed(clock.monotonic());
      await clock.advance(2_000);
    }
    expect(lease.standing()).toBe('mine');
    expect(lost).toEqual([]);
  });

  it('takes nothing from heartbeats before the journal names this node', async () => {
    const { clock, keeper, lease } = await setUp(withoutRedis);
    keeper.start();
    await clock.advance(5_000);
    keeper.heartbeatConfirmed(clock.monotonic());
    await clock.advance(2_000);
    expect(lease.standing()).toBe('over');
  });

  it('counts from before a renewal was sent, and takes nothing from one that is late', async () => {
    const answers: (() => void)[] = [];
    const { clock, lost, keeper, lease } = await setUp((locks) => ({
      ...locks,
      renew: (keys) => new Promise((resolve) => answers.push(() => resolve(keys.map(() => 'renewed' as const)))),
    }));
    keeper.start();
    await clock.advance(7_000);
    expect(lease.standing()).toBe('over');
    for (const answer of answers) answer();
    await turns();
    expect(lease.standing()).toBe('over');
    expect(lost).toEqual([CONNECTION]);
  });

  it('takes nothing from a heartbeat that is answered after the deadline', async () => {
    const { clock, lost, keeper, lease } = await setUp(withoutRedis);
    lease.recorded();
    const sentAt = clock.monotonic() + 6_000;
    await clock.advance(7_500);
    keeper.heartbeatConfirmed(sentAt);
    expect(lease.standing()).toBe('over');
    expect(lost).toEqual([CONNECTION]);
  });

  it('does not set a missing lock again once the deadline has passed', async () => {
    const stopped = Promise.withResolvers<void>();
    const { clock, locks, keeper } = await setUp((all) => ({
      ...all,
      async renew(...args) {
        const outcomes = await all.renew(...args);
        await stopped.promise;
        return outcomes;
      },
    }));
    await locks.release(KEY, 'node:1', 1);
    keeper.start();
    await clock.advance(7_000);
    stopped.resolve();
    await turns();
    expect(await locks.holderOf(KEY)).toBeNull();
  });

  it('gives a lock up', async () => {
    const { locks, lost, keeper, lease } = await setUp();
    await keeper.release(lease);
    expect(await locks.holderOf(KEY)).toBeNull();
    expect(lease.standing()).toBe('over');
    expect(lost).toEqual([]);
  });

  it('ends every lease when the seat is lost', async () => {
    const { lost, keeper, lease } = await setUp();
    keeper.endAll('a test');
    expect(lease.standing()).toBe('over');
    expect(lost).toEqual([CONNECTION]);
  });
});

describe('a jump of the wall clock', () => {
  it.each([3_600_000, -3_600_000])(
    'of %d ms makes the lease unproven until a renewal was sent after it',
    async (ms) => {
      const held: (() => void)[] = [];
      const { clock, lost, keeper, lease, jumps } = await setUp((locks) => ({
        ...locks,
        async renew(...args) {
          await new Promise<void>((resolve) => held.push(resolve));
          return locks.renew(...args);
        },
      }));
      keeper.start();
      clock.jump(ms);
      expect(lease.standing()).toBe('unproven');
      expect(jumps()).toBe(1);
      const proven = lease.proven();
      /* sent before the jump was seen */
      held.shift()?.();
      await turns();
      expect(lease.standing()).toBe('unproven');
      await clock.advance(500);
      held.shift()?.();
      await proven;
      expect(lease.standing()).toBe('mine');
      expect(lost).toEqual([]);
    },
  );

  it("is over when the lock turns out to be another's", async () => {
    const { clock, locks, lost, keeper, lease } = await setUp();
    await locks.release(KEY, 'node:1', 1);
    await locks.claim(KEY, 'node:2', 60_000);
    clock.jump(60_000);
    expect(lease.standing()).toBe('unproven');
    const refused = expect(lease.proven()).rejects.toMatchObject({ type: 'SESSION_FENCED' });
    keeper.start();
    await clock.advance(500);
    await refused;
    expect(lost).toEqual([CONNECTION]);
  });

  it('is not answered by a heartbeat: it is stored whoever runs the session by then', async () => {
    const { clock, lost, keeper, lease } = await setUp(withoutRedis);
    lease.recorded();
    keeper.start();
    clock.jump(60_000);
    expect(lease.standing()).toBe('unproven');
    for (let beat = 0; beat < 3; beat += 1) {
      await clock.advance(2_000);
      keeper.heartbeatConfirmed(clock.monotonic());
      expect(lease.standing()).toBe('unproven');
    }
    await clock.advance(2_000);
    expect(lease.standing()).toBe('over');
    expect(lost).toEqual([CONNECTION]);
  });

  it('ends a lease whose lock is missing afterwards: it may have been another one’s', async () => {
    const { clock, locks, lost, keeper, lease } = await setUp();
    await locks.release(KEY, 'node:1', 1);
    clock.jump(60_000);
    expect(lease.standing()).toBe('unproven');
    keeper.start();
    await clock.advance(500);
    expect(lost).toEqual([CONNECTION]);
    expect(await locks.holderOf(KEY)).toBeNull();
  });

  it('is not seen in drift that is slower than a second between two looks', async () => {
    const { clock, keeper, lease } = await setUp();
    keeper.start();
    for (let look = 0; look < 20; look += 1) {
      clock.jump(900);
      expect(lease.standing()).toBe('mine');
      await clock.advance(500);
    }
  });
});
