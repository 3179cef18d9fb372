import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { listByCursor } from '../../../lib/storage/cursor-list.ts';
import type { Collection, Filter } from '../../../lib/storage/port.ts';
import { type TemporaryStore, temporaryStore } from '../../helpers/temporary-store.ts';
import { ids, rejection, type Thing } from './conformance-kit.ts';

let opened: TemporaryStore;
let connections: Collection<Thing>;
beforeEach(async () => {
  opened = await temporaryStore();
  connections = opened.store.collection<Thing>('connections');
});
afterEach(() => opened.remove());

async function pages(
  filter: Filter,
  limit: number,
  between: () => Promise<unknown> = async () => null,
): Promise<string[][]> {
  const read: string[][] = [];
  let after: string | null | undefined;
  do {
    const page = await listByCursor(connections, { filter, limit, after });
    read.push(ids(page.items));
    after = page.next;
    await between();
  } while (after !== null);
  return read;
}

const row = (n: number, createdAt: number, userId = 'u') => ({
  _id: `con_${String(n).padStart(4, '0')}`,
  userId,
  createdAt,
});

describe('a list by cursor', () => {
  test('runs newest first, 50 at a time unless asked, and ends with null', async () => {
    await connections.insertMany(Array.from({ length: 120 }, (_, n) => row(n, n)));
    const first = await listByCursor(connections, { filter: {} });
    expect(first.items.map(({ createdAt }) => createdAt)).toEqual(Array.from({ length: 50 }, (_, n) => 119 - n));
    expect((await pages({}, 50)).map((page) => page.length)).toEqual([50, 50, 20]);
    expect((await pages({}, 40)).map((page) => page.length)).toEqual([40, 40, 40]);
    expect(await listByCursor(connections, { filter: { userId: 'nobody' } })).toEqual({ items: [], next: null });
  });

  test('shows every row once, whatever the times, the tenants and the size of a page', async () => {
    const rows = fc.array(fc.record({ at: fc.integer({ min: 0, max: 3 }), userId: fc.constantFrom('u', 'v') }), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 7 }), async (made, limit) => {
        await connections.deleteMany({});
        const docs = made.map(({ at, userId }, n) => row(n, at, userId));
        await connections.insertMany(docs);
        const expected = docs
          .filter(({ userId }) => userId === 'u')
          .sort((a, b) => b.createdAt - a.createdAt || (a._id < b._id ? 1 : -1));
        expect((await pages({ userId: 'u' }, limit)).flat()).toEqual(ids(expected));
      }),
      { numRuns: 60 },
    );
  });

  test('neither repeats nor hides a row when others come and go meanwhile', async () => {
    await connections.insertMany(Array.from({ length: 20 }, (_, n) => row(n, 5)));
    let come = 100;
    const read = await pages({}, 6, async () => {
      await connections.insertOne(row(come++, 9));
      await connections.deleteOne({ _id: row(19, 5)._id });
    });
    expect(read.flat()).toEqual(ids(Array.from({ length: 20 }, (_, n) => row(19 - n, 5))));
  });

  test('keeps to the client’s own bounds on the time', async () => {
    await connections.insertMany(Array.from({ length: 20 }, (_, n) => row(n, n)));
    expect((await pages({ createdAt: { $gte: 5, $lt: 12 } }, 3)).flat()).toHaveLength(7);
  });

  test.each([
    'x',
    '',
    'null',
    ...[[], [1], ['1', 'a'], [1, 2], [1, 'a', 3], { $gt: '' }, [{ $gt: 0 }, 'a'], [1, { $gt: '' }], [null, 'a']].map(
      (value) => Buffer.from(JSON.stringify(value)).toString('base64url'),
    ),
    'A'.repeat(5_000),
  ])('a cursor that it did not give (%#) is BAD_REQUEST', async (after) => {
    await connections.insertOne(row(1, 1));
    expect(await rejection(listByCursor(connections, { filter: {}, after }))).toBe('BAD_REQUEST');
  });

  test.each([0, -1, 201, 1.5, Number.NaN])('a limit of %p is BAD_REQUEST', async (limit) => {
    expect(await rejection(listByCursor(connections, { filter: {}, limit }))).toBe('BAD_REQUEST');
  });

  test('a filter with $or is BAD_REQUEST: the cursor needs it', async () => {
    expect(await rejection(listByCursor(connections, { filter: { $or: [{ userId: 'u' }] } }))).toBe('BAD_REQUEST');
  });
});
