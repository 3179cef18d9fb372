import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Write } from '../../../lib/storage/port.ts';
import { freshStore, ids, type OpenStore, PAIRS, rejection, THINGS, type Thing } from './conformance-kit.ts';

const insert = (_id: string, fields: object = {}): Write => ({
  op: 'insert',
  collection: THINGS,
  doc: { _id, ...fields },
});

export function groupConformance(open: OpenStore): void {
  describe('atomic groups', () => {
    const context = freshStore(open);
    const things = () => context.store.collection<Thing>(THINGS);

    test('write all of it, over several collections, in order', async () => {
      await things().insertMany([{ _id: 'gone' }, { _id: 'changed', n: 1 }]);
      await context.store.atomically([
        insert('new', { n: 1 }),
        { op: 'update', collection: THINGS, filter: { _id: 'new' }, update: { $inc: { n: 1 } } },
        { op: 'update', collection: THINGS, filter: { _id: 'changed', n: 1 }, update: { $set: { n: 2 } } },
        { op: 'delete', collection: THINGS, filter: { _id: 'gone' }, expect: 1 },
        { op: 'insert', collection: PAIRS, doc: { _id: 'p' } },
        { op: 'update', collection: THINGS, filter: { _id: 'up' }, update: { $set: { n: 2 } }, upsert: true },
      ]);
      expect(await things().find({ n: 2 }, { sort: [['_id', 1]] })).toEqual(
        ['changed', 'new', 'up'].map((_id) => ({ _id, n: 2 })),
      );
      expect(await things().count({})).toBe(3);
      expect(await context.store.collection(PAIRS).count({})).toBe(1);
      await context.store.atomically([]);
    });

    test('an unmet expectation is CONDITION_FAILED with its index, and nothing is written', async () => {
      await things().insertMany([
        { _id: 'a', epoch: 5 },
        { _id: 'b', epoch: 5 },
      ]);
      const set = (filter: object, expected?: number | 'any'): Write => ({
        op: 'update',
        collection: THINGS,
        filter: filter as Record<string, string>,
        update: { $set: { hit: true } },
        ...(expected === undefined ? {} : { expect: expected }),
      });
      const failing: [Write[], number][] = [
        [[insert('x'), set({ _id: 'a' }), set({ _id: 'a', epoch: { $lte: 4 } })], 2],
        [[set({ epoch: 5 })], 0],
        [[insert('x'), set({ epoch: 5 }, 3)], 1],
        [[insert('x'), set({ _id: 'a' }, 0)], 1],
        [[insert('x'), { op: 'delete', collection: THINGS, filter: { _id: 'z' }, expect: 1 }], 1],
        [[{ op: 'delete', collection: THINGS, filter: { _id: 'a' } }, set({ _id: 'a' })], 1],
      ];
      for (const [writes, index] of failing) {
        await expect(context.store.atomically(writes)).rejects.toMatchObject({
          type: 'CONDITION_FAILED',
          data: { index },
        });
      }
      expect(await things().find({}, { sort: [['_id', 1]] })).toEqual([
        { _id: 'a', epoch: 5 },
        { _id: 'b', epoch: 5 },
      ]);
      await context.store.atomically([
        set({ epoch: 5 }, 2),
        set({ _id: 'z' }, 'any'),
        set({ _id: 'z' }, 0),
        { op: 'delete', collection: THINGS, filter: { _id: 'z' } },
      ]);
      expect(await things().count({ hit: true })).toBe(2);
    });

    test('a duplicate key undoes the whole group', async () => {
      await things().insertOne({ _id: 'there' });
      await expect(context.store.atomically([insert('new'), insert('there'), insert('more')])).rejects.toMatchObject({
        type: 'DUPLICATE_KEY',
        data: { collection: THINGS, keys: ['_id'] },
      });
      expect(ids(await things().find({}))).toEqual(['there']);
    });

    test('a malformed write undoes the whole group', async () => {
      const bad = { op: 'replace', collection: THINGS, filter: {}, update: {} } as unknown as Write;
      expect(await rejection(context.store.atomically([insert('new'), bad]))).toBe('BAD_REQUEST');
      expect(await things().count({})).toBe(0);
    });

    test('a failing group does not disturb what is written beside it', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, (_, n) =>
          rejection(context.store.atomically([insert(`a${n}`), insert(n % 2 ? 'shared' : `b${n}`)])),
        ),
      );
      expect(outcomes.filter((outcome) => outcome === 'resolved')).toHaveLength(21);
      expect(outcomes.filter((outcome) => outcome === 'DUPLICATE_KEY')).toHaveLength(19);
      expect(await things().count({})).toBe(42);
    });

    test('money moved around by concurrent groups is neither made nor lost, whatever they are', async () => {
      const transfer = fc.record({ from: fc.nat(3), to: fc.nat(3), amount: fc.integer({ min: 1, max: 60 }) });
      await fc.assert(
        fc.asyncProperty(fc.array(transfer, { minLength: 1, maxLength: 30 }), async (transfers) => {
          await things().deleteMany({});
          await things().insertMany([0, 1, 2, 3].map((n) => ({ _id: `${n}`, balance: 100 })));
          await Promise.all(
            transfers.map(({ from, to, amount }) =>
              rejection(
                context.store.atomically([
                  { op: 'update', collection: THINGS, filter: { _id: `${to}` }, update: { $inc: { balance: amount } } },
                  {
                    op: 'update',
                    collection: THINGS,
                    filter: { _id: `${from}`, balance: { $gte: amount } },
                    update: { $inc: { balance: -amount } },
                  },
                ]),
              ),
            ),
          );
          const balances = (await things().find({})).map((doc) => doc.balance as number);
          expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(400);
          expect(balances.every((balance) => balance >= 0)).toBe(true);
        }),
        { numRuns: 25 },
      );
    });
  });

  describe('concurrency', () => {
    const context = freshStore(open);
    const things = () => context.store.collection<Thing>(THINGS);

    test('50 compare-and-sets at once have one winner', async () => {
      await things().insertOne({ _id: 'lock', version: 0 });
      const second = (await context.current.another()).collection<Thing>(THINGS);
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, n) =>
          (n % 2 ? second : things()).updateOne({ _id: 'lock', version: 0 }, { $set: { version: 1, holder: n } }),
        ),
      );
      const winners = outcomes.flatMap(({ matched }, n) => (matched ? [n] : []));
      expect(winners).toHaveLength(1);
      expect((await things().findOne({ _id: 'lock' }))?.holder).toBe(winners[0]);
    });

    test('50 inserts of one _id at once have one winner', async () => {
      const second = (await context.current.another()).collection<Thing>(THINGS);
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, n) => rejection((n % 2 ? second : things()).insertOne({ _id: 'entry', by: n }))),
      );
      const winners = outcomes.flatMap((outcome, n) => (outcome === 'resolved' ? [n] : []));
      expect(winners).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'DUPLICATE_KEY')).toHaveLength(49);
      expect((await things().findOne({ _id: 'entry' }))?.by).toBe(winners[0]);
    });

    test('50 upserts and increments at once lose nothing', async () => {
      await Promise.all(
        Array.from({ length: 50 }, () => things().updateOne({ _id: 'c' }, { $inc: { n: 1 } }, { upsert: true })),
      );
      expect(await things().find({})).toEqual([{ _id: 'c', n: 50 }]);
    });

    test('a job is taken by one of 50 workers each', async () => {
      await things().insertMany(Array.from({ length: 20 }, (_, n) => ({ _id: `job${n}`, state: 'pending', n })));
      const taken = await Promise.all(
        Array.from({ length: 50 }, (_, worker) =>
          things().findOneAndUpdate({ state: 'pending' }, { $set: { state: 'taken', worker } }, { sort: [['n', 1]] }),
        ),
      );
      const jobs = taken.filter((job) => job !== null);
      expect(new Set(ids(jobs)).size).toBe(20);
      expect(jobs).toHaveLength(20);
    });

    test('one caller sees what it wrote before, awaited or not', async () => {
      const writes = [
        things().insertOne({ _id: 'a', n: 1 }),
        things().updateOne({ _id: 'a' }, { $inc: { n: 1 } }),
        things().updateOne({ _id: 'a' }, { $inc: { n: 1 } }),
      ];
      await Promise.all(writes);
      expect(await things().findOne({ _id: 'a' })).toEqual({ _id: 'a', n: 3 });
    });
  });

  describe('life', () => {
    const context = freshStore(open);

    test('answers a ping', async () => {
      await context.store.ping();
    });

    test('after close everything is STORE_UNAVAILABLE, and closing again is harmless', async () => {
      const { store } = context;
      const things = store.collection<Thing>(THINGS);
      const last = things.insertOne({ _id: 'last' });
      await store.close();
      await last;
      await store.close();
      const outcomes = await Promise.all(
        [
          store.ping(),
          things.insertOne({ _id: 'x' }),
          things.insertMany([{ _id: 'x' }]),
          things.find({}),
          things.findOne({}),
          things.count({}),
          things.updateMany({}, { $set: { a: 1 } }),
          things.deleteMany({}),
          store.atomically([insert('x')]),
        ].map(rejection),
      );
      expect(outcomes).toEqual(outcomes.map(() => 'STORE_UNAVAILABLE'));
      expect(ids(await (await context.current.reopen()).collection<Thing>(THINGS).find({}))).toEqual(['last']);
    });
  });
}
