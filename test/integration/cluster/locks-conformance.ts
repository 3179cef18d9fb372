import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Locks } from '../../../lib/cluster/locks.port.ts';
import { rejection } from '../storage/conformance-kit.ts';

/** What the suite needs of an adapter. Each one is fresh and empty. */
export interface OpenedLocks {
  locks: Locks;
  /** Lets the time of leases pass by this much. */
  pass(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

const A = 'node-a:01';
const B = 'node-b:02';
/** a restarted process keeps its node's name, never its incarnation */
const A_AGAIN = 'node-a:03';
const TTL_MS = 1_000;

/** Every statement of `lib/cluster/locks.port.ts`, held against one adapter. */
export function locksConformance(name: string, open: () => Promise<OpenedLocks>): void {
  describe(`${name} holds locks`, () => {
    let opened: OpenedLocks;
    let locks: Locks;
    beforeEach(async () => {
      opened = await open();
      locks = opened.locks;
    });
    afterEach(() => opened.dispose());

    test('a free key is claimed, a held one names its holder', async () => {
      expect(await locks.holderOf('k')).toBeNull();
      expect(await locks.claim('k', A, TTL_MS)).toEqual({ mine: true, holder: A });
      expect(await locks.claim('k', B, TTL_MS)).toEqual({ mine: false, holder: A });
      expect(await locks.holderOf('k')).toBe(A);
      expect(await locks.claim('other', B, TTL_MS)).toEqual({ mine: true, holder: B });
    });

    test('the same node in another incarnation is another holder', async () => {
      await locks.claim('k', A, TTL_MS);
      expect(await locks.claim('k', A_AGAIN, TTL_MS)).toEqual({ mine: false, holder: A });
      expect(await locks.renew(['k'], A_AGAIN, TTL_MS)).toEqual(['lost']);
      expect(await locks.release('k', A_AGAIN)).toBe(false);
    });

    test('a holder that is proven to be gone is claimed over, nobody else', async () => {
      await locks.claim('k', A, TTL_MS);
      expect(await locks.claim('k', A_AGAIN, TTL_MS, { over: B })).toEqual({ mine: false, holder: A });
      expect(await locks.claim('k', A_AGAIN, TTL_MS, { over: A })).toEqual({ mine: true, holder: A_AGAIN });
      expect(await locks.renew(['k'], A, TTL_MS)).toEqual(['lost']);
      expect(await locks.claim('free', A_AGAIN, TTL_MS, { over: A })).toEqual({ mine: true, holder: A_AGAIN });
    });

    test('what was sent for an earlier lease of the same holder neither renews, replaces nor releases a later one', async () => {
      expect(await locks.claim('k', A, TTL_MS, { lease: 9 })).toEqual({ mine: true, holder: A });
      expect(await locks.claim('k', A, TTL_MS, { lease: 10 })).toEqual({ mine: true, holder: A });
      expect(await locks.renew(['k'], A, TTL_MS, [9])).toEqual(['lost']);
      expect(await locks.claim('k', A, TTL_MS, { lease: 9 })).toEqual({ mine: false, holder: A });
      const generation = await locks.generation();
      const late = await locks.claimInGeneration('k', A, TTL_MS, generation, { lease: 9 });
      expect(late).toEqual({ mine: false, holder: A, forgotten: false });
      expect(await locks.release('k', A, 9)).toBe(false);
      expect(await locks.renew(['k'], A, TTL_MS, [10])).toEqual(['renewed']);
      expect(await locks.release('k', A, 10)).toBe(true);
    });

    test('claiming what is mine begins its time anew', async () => {
      await locks.claim('k', A, TTL_MS);
      await opened.pass(TTL_MS * 0.7);
      expect(await locks.claim('k', A, TTL_MS)).toEqual({ mine: true, holder: A });
      await opened.pass(TTL_MS * 0.7);
      expect(await locks.holderOf('k')).toBe(A);
    });

    test('a claim that fails does not prolong the holder’s time', async () => {
      await locks.claim('k', A, TTL_MS);
      await opened.pass(TTL_MS * 0.7);
      await locks.claim('k', B, TTL_MS * 10);
      await opened.pass(TTL_MS * 0.7);
      expect(await locks.claim('k', B, TTL_MS)).toEqual({ mine: true, holder: B });
    });

    test('a lock ends with its time, and only then', async () => {
      await locks.claim('k', A, TTL_MS);
      await opened.pass(TTL_MS * 0.5);
      expect(await locks.holderOf('k')).toBe(A);
      await opened.pass(TTL_MS * 0.7);
      expect(await locks.holderOf('k')).toBeNull();
      expect(await locks.release('k', A)).toBe(false);
    });

    test('renewal prolongs what is mine and tells missing from lost, in the order asked', async () => {
      await locks.claim('mine', A, TTL_MS);
      await locks.claim('short', A, TTL_MS * 0.3);
      await locks.claim('theirs', B, TTL_MS);
      await opened.pass(TTL_MS * 0.5);
      expect(await locks.renew(['theirs', 'short', 'mine', 'never', 'mine'], A, TTL_MS)).toEqual([
        'lost',
        'missing',
        'renewed',
        'missing',
        'renewed',
      ]);
      await opened.pass(TTL_MS * 0.7);
      expect(await locks.holderOf('mine')).toBe(A);
      expect(await locks.holderOf('theirs')).toBeNull();
      expect(await locks.renew([], A, TTL_MS)).toEqual([]);
    });

    test('renewal never claims: what is missing stays free', async () => {
      expect(await locks.renew(['k'], A, TTL_MS)).toEqual(['missing']);
      expect(await locks.holderOf('k')).toBeNull();
    });

    test('only its holder releases a lock', async () => {
      await locks.claim('k', A, TTL_MS);
      expect(await locks.release('k', B)).toBe(false);
      expect(await locks.holderOf('k')).toBe(A);
      expect(await locks.release('k', A)).toBe(true);
      expect(await locks.release('k', A)).toBe(false);
      expect(await locks.claim('k', B, TTL_MS)).toEqual({ mine: true, holder: B });
    });

    test('of 50 claims at once one wins, and everybody learns who', async () => {
      const claims = await Promise.all(Array.from({ length: 50 }, (_, n) => locks.claim('k', `node-${n}:x`, TTL_MS)));
      const winners = claims.flatMap(({ mine }, n) => (mine ? [`node-${n}:x`] : []));
      expect(winners).toHaveLength(1);
      expect(new Set(claims.map(({ holder }) => holder))).toEqual(new Set(winners));
    });

    test('a thousand locks are renewed in one call', async () => {
      const keys = Array.from({ length: 1_000 }, (_, n) => `key-${n}`);
      await Promise.all(keys.map((key) => locks.claim(key, A, TTL_MS * 20)));
      expect(new Set(await locks.renew(keys, A, TTL_MS * 20))).toEqual(new Set(['renewed']));
    });

    test('the generation stays as long as the data does', async () => {
      const generation = await locks.generation();
      expect(generation).toMatch(/.{16}/);
      await locks.claim('k', A, TTL_MS);
      expect(await locks.generation()).toBe(generation);
      const other = await open();
      expect(await other.locks.generation()).not.toBe(generation);
      await other.dispose();
    });

    test('a claim in the generation that was seen is a claim', async () => {
      const seen = await locks.generation();
      expect(await locks.claimInGeneration('k', A, TTL_MS, seen)).toEqual({ mine: true, holder: A, forgotten: false });
      expect(await locks.claimInGeneration('k', A, TTL_MS, seen)).toEqual({ mine: true, holder: A, forgotten: false });
      expect(await locks.claimInGeneration('k', B, TTL_MS, seen)).toEqual({ mine: false, holder: A, forgotten: false });
      await opened.pass(TTL_MS * 1.2);
      expect(await locks.claimInGeneration('k', B, TTL_MS, seen)).toEqual({ mine: true, holder: B, forgotten: false });
    });

    test('a claim in another generation takes nothing, free or not', async () => {
      await locks.generation();
      const other = 'a generation that was lost';
      const forgotten = { mine: false, holder: null, forgotten: true };
      expect(await locks.claimInGeneration('k', A, TTL_MS, other)).toEqual(forgotten);
      expect(await locks.holderOf('k')).toBeNull();
      await locks.claim('k', A, TTL_MS);
      expect(await locks.claimInGeneration('k', A, TTL_MS, other)).toEqual({ ...forgotten, holder: A });
    });

    test('after close everything is STORE_UNAVAILABLE', async () => {
      await locks.close();
      const calls = [
        locks.claim('k', A, TTL_MS),
        locks.claimInGeneration('k', A, TTL_MS, 'g'),
        locks.renew(['k'], A, TTL_MS),
        locks.release('k', A),
        locks.holderOf('k'),
        locks.generation(),
      ];
      expect(await Promise.all(calls.map(rejection))).toEqual(calls.map(() => 'STORE_UNAVAILABLE'));
    });
  });
}
