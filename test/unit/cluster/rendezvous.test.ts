import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { rank, winner } from '../../../lib/cluster/rendezvous.ts';
import { newId } from '../../../lib/ids.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`rendezvous seed: ${seed}`);
const check = (property: fc.IProperty<[string[], string[]]>) => fc.assert(property, { seed, numRuns: 200 });

const nodeIds = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/), { minLength: 1, maxLength: 12 });
const keys = fc.array(fc.string({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 20 });
const even = (ids: readonly string[]) => ids.map((nodeId) => ({ nodeId, capacity: 1_000 }));
const connections = Array.from({ length: 10_000 }, () => newId('connection'));
const place = (key: string, nodes: { nodeId: string; capacity: number }[]) => winner(key, nodes)?.nodeId;

function shares(nodes: { nodeId: string; capacity: number }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of connections) {
    const nodeId = String(place(key, nodes));
    counts[nodeId] = (counts[nodeId] ?? 0) + 1;
  }
  return counts;
}

describe('the ring', () => {
  test('says the same whatever the order in which nodes are named', () => {
    check(
      fc.property(nodeIds, keys, (ids, some) => {
        for (const key of some) expect(place(key, even(ids))).toBe(place(key, even([...ids].reverse())));
      }),
    );
  });

  test('ranks every node, the winner first, and without it the next one wins', () => {
    check(
      fc.property(nodeIds, keys, (ids, some) => {
        for (const key of some) {
          const order = rank(key, even(ids)).map(({ nodeId }) => nodeId);
          expect([...order].sort()).toEqual([...ids].sort());
          expect(order[0]).toBe(place(key, even(ids)));
          expect(order[1]).toBe(place(key, even(ids.filter((id) => id !== order[0]))));
        }
      }),
    );
  });

  test('a node that goes moves only what it had', () => {
    check(
      fc.property(nodeIds, keys, (ids, some) => {
        for (const key of some) {
          const owner = place(key, even(ids));
          for (const gone of ids.filter((id) => id !== owner)) {
            expect(place(key, even(ids.filter((id) => id !== gone)))).toBe(owner);
          }
        }
      }),
    );
  });

  test('names nobody where there is nobody', () => {
    expect(winner('con_1', [])).toBeNull();
  });

  test('a ninth node takes about a ninth of ten thousand, and nothing moves between the others', () => {
    const eight = even(Array.from({ length: 8 }, (_, n) => `session-node-${n}`));
    const nine = [...eight, { nodeId: 'session-node-8', capacity: 1_000 }];
    const moved = connections.filter((key) => place(key, eight) !== place(key, nine));
    expect(moved.every((key) => place(key, nine) === 'session-node-8')).toBe(true);
    expect(moved.length).toBeGreaterThan((10_000 / 9) * 0.8);
    expect(moved.length).toBeLessThan((10_000 / 9) * 1.2);
  });

  test('spreads evenly over nodes whose names differ in one character', () => {
    for (const count of Object.values(shares(even(['session-node-0', 'session-node-1', 'session-node-2'])))) {
      expect(Math.abs(count - 10_000 / 3)).toBeLessThan(10_000 / 3 / 8);
    }
  });

  test('a node with twice the capacity gets twice as much', () => {
    const counts = shares([
      { nodeId: 'small', capacity: 500 },
      { nodeId: 'large', capacity: 1_000 },
    ]);
    expect(Number(counts.large) / Number(counts.small)).toBeGreaterThan(1.8);
    expect(Number(counts.large) / Number(counts.small)).toBeLessThan(2.2);
  });
});
