import { describe, expect, test } from '@jest/globals';
import type { Update } from '../../../lib/storage/port.ts';
import { bytesOf, freshStore, ids, type OpenStore, rejection, THINGS, type Thing } from './conformance-kit.ts';

export function updateConformance(open: OpenStore): void {
  describe('updates', () => {
    const context = freshStore(open);
    const things = () => context.store.collection<Thing>(THINGS);
    const read = (id = 'a') => things().findOne({ _id: id });

    test('$set, $unset, $inc, $max and $push do what they say', async () => {
      await things().insertOne({ _id: 'a', keep: 1, old: 2, n: 3, top: 5, list: [1], nested: { x: 1, y: 2 } });
      const update: Update = {
        $set: { name: 'new', 'nested.x': 9, 'made.deep.er': true, ignored: undefined },
        $unset: ['old', 'nested.y', 'never.there'],
        $inc: { n: 2, 'counts.first': 1 },
        $max: { top: 4, best: 7 },
        $push: { list: { two: 2 }, fresh: 'x' },
      };
      expect(await things().updateOne({ _id: 'a' }, update)).toEqual({ matched: 1, inserted: false });
      expect(await read()).toEqual({
        _id: 'a',
        keep: 1,
        n: 5,
        top: 5,
        list: [1, { two: 2 }],
        nested: { x: 9 },
        name: 'new',
        made: { deep: { er: true } },
        counts: { first: 1 },
        best: 7,
        fresh: ['x'],
      });
      await things().updateOne({ _id: 'a' }, { $max: { top: 6 } });
      expect((await read())?.top).toBe(6);
    });

    test('updateOne takes one, updateMany all; both say how many matched', async () => {
      await things().insertMany([
        { _id: 'a', n: 1 },
        { _id: 'b', n: 1 },
        { _id: 'c', n: 2 },
      ]);
      expect(await things().updateOne({ n: 1 }, { $set: { hit: true } })).toEqual({ matched: 1, inserted: false });
      expect(await things().count({ hit: true })).toBe(1);
      expect(await things().updateMany({ n: 1 }, { $set: { all: true } })).toBe(2);
      expect(await things().updateMany({ n: 1 }, { $set: { all: true } })).toBe(2);
      expect(await things().updateOne({ n: 9 }, { $set: { hit: true } })).toEqual({ matched: 0, inserted: false });
      expect(await things().updateMany({ n: 9 }, { $set: { hit: true } })).toBe(0);
    });

    test('an upsert inserts the filter’s equalities with the update, once', async () => {
      const upsert = () =>
        things().updateOne(
          { _id: 'a', kind: 'k', n: { $lt: 5 }, e: { $eq: 1 } },
          { $set: { n: 1 }, $setOnInsert: { born: 7 }, $inc: { count: 1 } },
          { upsert: true },
        );
      expect(await upsert()).toEqual({ matched: 1, inserted: true });
      expect(await read()).toEqual({ _id: 'a', kind: 'k', e: 1, n: 1, born: 7, count: 1 });
      await things().updateOne({ _id: 'a' }, { $set: { born: 8 } });
      expect(await upsert()).toEqual({ matched: 1, inserted: false });
      expect(await read()).toEqual({ _id: 'a', kind: 'k', e: 1, n: 1, born: 8, count: 2 });
    });

    test('an upsert whose filter misses an existing _id is DUPLICATE_KEY', async () => {
      await things().insertOne({ _id: 'a', epoch: 5 });
      const stale = things().updateOne({ _id: 'a', epoch: { $lte: 4 } }, { $set: { epoch: 4 } }, { upsert: true });
      expect(await rejection(stale)).toBe('DUPLICATE_KEY');
      expect(await read()).toEqual({ _id: 'a', epoch: 5 });
    });

    test('findOneAndUpdate answers the document after or before, in the order asked for', async () => {
      await things().insertMany([
        { _id: 'a', n: 2, seen: 0 },
        { _id: 'b', n: 1, seen: 0 },
      ]);
      const first = await things().findOneAndUpdate({ seen: 0 }, { $set: { seen: 1 } }, { sort: [['n', 1]] });
      expect(first).toEqual({ _id: 'b', n: 1, seen: 1 });
      const before = await things().findOneAndUpdate({ _id: 'a' }, { $inc: { seen: 5 } }, { returnBefore: true });
      expect(before).toEqual({ _id: 'a', n: 2, seen: 0 });
      expect((await read())?.seen).toBe(5);
      expect(await things().findOneAndUpdate({ _id: 'z' }, { $set: { n: 1 } })).toBeNull();
    });

    test('findOneAndUpdate upserts', async () => {
      const counter = () => things().findOneAndUpdate({ _id: 'c' }, { $inc: { n: 1 } }, { upsert: true });
      expect(await counter()).toEqual({ _id: 'c', n: 1 });
      expect(await counter()).toEqual({ _id: 'c', n: 2 });
      const before = await things().findOneAndUpdate(
        { _id: 'd' },
        { $set: { n: 1 } },
        { upsert: true, returnBefore: true },
      );
      expect(before).toBeNull();
      expect(await read('d')).toEqual({ _id: 'd', n: 1 });
    });

    test('deleteOne takes one, deleteMany all', async () => {
      await things().insertMany(['a', 'b', 'c', 'd'].map((_id) => ({ _id, n: _id === 'd' ? 2 : 1 })));
      expect(await things().deleteOne({ n: 1 })).toBe(1);
      expect(await things().deleteMany({ n: 1 })).toBe(2);
      expect(await things().deleteOne({ n: 1 })).toBe(0);
      expect(ids(await things().find({}))).toEqual(['d']);
    });

    test.each<[string, unknown]>([
      ['an unknown operator', { $rename: { a: 'b' } }],
      ['a field without an operator', { status: 'x' }],
      ['no object', null],
      ['a list', [{ $set: { a: 1 } }]],
      ['a scalar for $set', { $set: 5 }],
      ['a changed _id', { $set: { _id: 'other' } }],
      ['an incremented _id', { $inc: { _id: 1 } }],
      ['text for $inc', { $inc: { n: '1' } }],
      ['NaN for $max', { $max: { n: Number.NaN } }],
      ['$inc of text', { $inc: { text: 1 } }],
      ['$inc of null', { $inc: { none: 1 } }],
      ['$push to text', { $push: { text: 1 } }],
      ['a path through text', { $set: { 'text.x': 1 } }],
      ['a path through null', { $set: { 'none.x': 1 } }],
      ['a path through a list', { $set: { 'list.x': 1 } }],
      ['the same field twice', { $set: { n: 1 }, $inc: { n: 1 } }],
      ['a field and a part of it', { $set: { nested: {}, 'nested.x': 1 } }],
      ['an operator as a field', { $set: { $where: 1 } }],
      ['__proto__', { $set: JSON.parse('{"__proto__": 1}') }],
      ['__proto__ in a path', { $set: { 'a.__proto__.admin': true } }],
      ['constructor.prototype', { $set: { 'constructor.prototype.admin': true } }],
      ['an object for $unset', { $unset: { n: '' } }],
      ['a list into an indexed field', { $set: { indexed: [1] } }],
      ['a date', { $set: { at: new Date(0) } }],
    ])('%s is BAD_REQUEST and changes nothing', async (_what, update) => {
      const doc = { _id: 'a', n: 1, text: 't', none: null, list: [1], nested: { x: 0 } };
      await things().insertOne(doc);
      const bad = update as Update;
      const outcomes = [
        await rejection(things().updateOne({ _id: 'a' }, bad)),
        await rejection(things().updateMany({}, bad)),
        await rejection(things().findOneAndUpdate({ _id: 'a' }, bad)),
        await rejection(
          context.store.atomically([{ op: 'update', collection: THINGS, filter: { _id: 'a' }, update: bad }]),
        ),
      ];
      expect(outcomes).toEqual(outcomes.map(() => 'BAD_REQUEST'));
      expect(await things().find({})).toEqual([doc]);
      expect(({} as Record<string, unknown>).admin).toBeUndefined();
    });

    test('an upsert without an _id is BAD_REQUEST', async () => {
      expect(await rejection(things().updateOne({ n: 1 }, { $set: { a: 1 } }, { upsert: true }))).toBe('BAD_REQUEST');
      expect(await things().count({})).toBe(0);
    });

    test('an update that does not fit one of many documents changes none of them', async () => {
      await things().insertMany([
        { _id: 'a', n: 1 },
        { _id: 'b', n: 'text' },
      ]);
      expect(await rejection(things().updateOne({ _id: 'b' }, { $inc: { n: 1 } }))).toBe('BAD_REQUEST');
      expect(await read('b')).toEqual({ _id: 'b', n: 'text' });
    });
  });

  describe('replaceIfNewer', () => {
    const context = freshStore(open);
    const things = () => context.store.collection<Thing>(THINGS);

    test('writes what is absent or older, leaves what is as new or newer', async () => {
      await things().insertMany([
        { _id: 'older', seq: 1, stays: false },
        { _id: 'same', seq: 5, stays: true },
        { _id: 'newer', seq: 9, stays: true },
      ]);
      const docs = ['older', 'same', 'newer', 'absent'].map((_id) => ({ _id, seq: 5, value: new Uint8Array([5]) }));
      await things().replaceIfNewer(docs, 'seq');
      const now = new Map((await things().find({})).map((doc) => [doc._id, doc]));
      expect(now.get('older')).toEqual({ _id: 'older', seq: 5, value: expect.anything() });
      expect(bytesOf(now.get('older')?.value)).toEqual([5]);
      expect(now.get('same')).toEqual({ _id: 'same', seq: 5, stays: true });
      expect(now.get('newer')).toEqual({ _id: 'newer', seq: 9, stays: true });
      expect(now.get('absent')?.seq).toBe(5);
    });

    test('of many writers at once the newest stays, in whatever order they come', async () => {
      const order = [3, 9, 1, 7, 10, 2, 8, 4, 6, 5];
      await Promise.all(order.map((seq) => things().replaceIfNewer([{ _id: 'k', seq }], 'seq')));
      expect(await things().find({})).toEqual([{ _id: 'k', seq: 10 }]);
    });

    test('takes an empty list, refuses a document without the number', async () => {
      await things().replaceIfNewer([], 'seq');
      expect(await rejection(things().replaceIfNewer([{ _id: 'a' }], 'seq'))).toBe('BAD_REQUEST');
      expect(await things().count({})).toBe(0);
    });
  });
}
