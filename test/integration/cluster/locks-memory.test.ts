import { describe, expect, test } from '@jest/globals';
import { createMemoryLocks } from '../../../lib/cluster/memory-locks.ts';
import { locksConformance, type OpenedLocks } from './locks-conformance.ts';

async function openMemoryLocks(): Promise<OpenedLocks> {
  let monotonicMs = 5;
  const clock = { now: () => 0, monotonic: () => monotonicMs, after: () => () => undefined };
  const locks = createMemoryLocks({ clock });
  return {
    locks,
    async pass(ms) {
      monotonicMs += ms;
    },
    dispose: () => locks.close(),
  };
}

locksConformance('one process', openMemoryLocks);

describe('in-process locks', () => {
  test('a jump of the wall clock ends no lease: only the monotonic clock counts', async () => {
    let wallMs = 0;
    const locks = createMemoryLocks({ clock: { now: () => wallMs, monotonic: () => 1, after: () => () => undefined } });
    await locks.claim('k', 'a:1', 10);
    wallMs = 3_600_000;
    expect(await locks.holderOf('k')).toBe('a:1');
    await locks.close();
  });

  test('many expired keys that nobody asks for again do not hinder later claims', async () => {
    const { locks, pass, dispose } = await openMemoryLocks();
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 1_500; n++) await locks.claim(`${round}.${n}`, 'a:1', 10);
      await pass(20);
    }
    expect(await locks.claim('0.0', 'b:1', 10)).toEqual({ mine: true, holder: 'b:1' });
    expect(await locks.renew(['2.7', '0.0'], 'b:1', 10)).toEqual(['missing', 'renewed']);
    await dispose();
  });
});
