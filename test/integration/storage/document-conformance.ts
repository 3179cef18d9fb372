import { describe, expect, test } from '@jest/globals';
import { bytesOf, freshStore, ids, type OpenStore, PAIRS, rejection, THINGS, type Thing } from './conformance-kit.ts';

export function documentConformance(open: OpenStore): void {
  describe('documents', () => {
    const context = freshStore(open);
    const things = () => context.store.collection<Thing>(THINGS);

    test('come back as they were stored, after a reopen too', async () => {
      const doc: Thing = {
        _id: 'ü-1',
        text: 'a "quoted" \\ line\nbreak 🏰',
        int: 42,
        big: Number.MAX_SAFE_INTEGER,
        fraction: 0.1,
        negative: -1.5e-9,
        yes: true,
        no: false,
        nothing: null,
        empty: '',
        list: [1, 'two', null, { three: [3] }],
        object: { $odd: 1, $$odder: { $bytes: [0, 3] }, 'with.dot': true, '': 'empty key' },
      };
      await things().insertOne(doc);
      expect(await things().findOne({ _id: 'ü-1' })).toEqual(doc);
      await context.current.reopen();
      expect(await context.current.store.collection<Thing>(THINGS).find({})).toEqual([doc]);
    });

    test('keep bytes as bytes: alone, several, empty, nested, in lists, and from a view into a larger buffer', async () => {
      const view = new Uint8Array([9, 9, 1, 2, 3, 9]).subarray(2, 5);
      await things().insertOne({
        _id: 'b',
        one: new Uint8Array([0, 255, 128]),
        empty: new Uint8Array(0),
        nested: { view, list: [new Uint8Array([7]), null] },
        buffer: Buffer.from('castle'),
        large: new Uint8Array(300_000).fill(5),
      });
      const doc = await things().findOne({ _id: 'b' });
      const nested = doc?.nested as { view: unknown; list: [unknown, null] };
      expect(bytesOf(doc?.one)).toEqual([0, 255, 128]);
      expect(bytesOf(doc?.empty)).toEqual([]);
      expect(bytesOf(nested.view)).toEqual([1, 2, 3]);
      expect(bytesOf(nested.list[0])).toEqual([7]);
      expect(nested.list[1]).toBeNull();
      expect(String.fromCharCode(...bytesOf(doc?.buffer))).toBe('castle');
      expect(bytesOf(doc?.large)).toEqual(Array(300_000).fill(5));
    });

    test('keep their bytes when another field is updated, and take new ones by update', async () => {
      await things().insertOne({ _id: 'b', content: new Uint8Array([1, 2]), status: 'queued' });
      await things().updateOne({ _id: 'b' }, { $set: { status: 'sent', extra: new Uint8Array([3]) } });
      const doc = await things().findOne({ _id: 'b' });
      expect([bytesOf(doc?.content), bytesOf(doc?.extra), doc?.status]).toEqual([[1, 2], [3], 'sent']);
    });

    test('leave undefined fields out', async () => {
      await things().insertOne({ _id: 'u', there: 1, gone: undefined, nested: { gone: undefined } });
      expect(await things().findOne({ _id: 'u' })).toEqual({ _id: 'u', there: 1, nested: {} });
      expect(await things().count({ gone: { $exists: false } })).toBe(1);
    });

    test('are not changed by what the caller does to its object afterwards', async () => {
      const doc = { _id: 'c', list: [1] };
      const stored = things().insertOne(doc);
      doc.list.push(2);
      await stored;
      expect(await things().findOne({ _id: 'c' })).toEqual({ _id: 'c', list: [1] });
    });

    test.each([
      ['no _id', { name: 'x' }],
      ['an _id that is no string', { _id: 7 }],
      ['an empty _id', { _id: '' }],
      ['NaN', { _id: 'x', n: Number.NaN }],
      ['infinity', { _id: 'x', n: Number.POSITIVE_INFINITY }],
      ['a date', { _id: 'x', at: new Date(0) }],
      ['a function', { _id: 'x', f: () => 1 }],
      ['a bigint', { _id: 'x', n: 1n }],
      ['a map', { _id: 'x', m: new Map() }],
      ['__proto__', JSON.parse('{"_id":"x","deep":{"__proto__":{"admin":true}}}')],
      ['a list in an indexed field', { _id: 'x', indexed: [1] }],
      ['an object in an indexed field', { _id: 'x', nested: { indexed: {} } }],
      ['bytes in an indexed field', { _id: 'x', indexed: new Uint8Array(1) }],
    ])('with %s are refused', async (_what, doc) => {
      expect(await rejection(things().insertOne(doc as Thing))).toBe('BAD_REQUEST');
      expect(await things().count({})).toBe(0);
    });

    test('are refused in a collection that does not exist', async () => {
      const write = async () => context.store.collection<Thing>('nonsense').insertOne({ _id: 'x' });
      expect(await rejection(write())).toBe('BAD_REQUEST');
    });
  });

  describe('unique keys', () => {
    const context = freshStore(open);
    const things = () => context.store.collection<Thing>(THINGS);
    const pairs = () => context.store.collection<Thing>(PAIRS);

    test('a second document with the same _id is DUPLICATE_KEY and names the key', async () => {
      await things().insertOne({ _id: 'a', v: 1 });
      await expect(things().insertOne({ _id: 'a', v: 2 })).rejects.toMatchObject({
        type: 'DUPLICATE_KEY',
        data: { collection: THINGS, keys: ['_id'] },
      });
      expect(await things().find({})).toEqual([{ _id: 'a', v: 1 }]);
    });

    test('a second document with the same unique fields is DUPLICATE_KEY and names them', async () => {
      await pairs().insertOne({ _id: '1', left: 'a', right: 1 });
      await pairs().insertOne({ _id: '2', left: 'a', right: 2 });
      await expect(pairs().insertOne({ _id: '3', left: 'a', right: 1 })).rejects.toMatchObject({
        type: 'DUPLICATE_KEY',
        data: { collection: PAIRS, keys: ['left', 'right'] },
      });
      await pairs().insertOne({ _id: '4', left: 'a', right: '1' });
      expect(await pairs().count({})).toBe(3);
    });

    test('null and missing are values of a unique index', async () => {
      await pairs().insertOne({ _id: '1', left: 'a' });
      expect(await rejection(pairs().insertOne({ _id: '2', left: 'a', right: null }))).toBe('DUPLICATE_KEY');
      await pairs().insertOne({ _id: '3', left: 'b', right: null });
      expect(await rejection(pairs().updateOne({ _id: '3' }, { $set: { left: 'a' } }))).toBe('DUPLICATE_KEY');
      expect(await pairs().findOne({ _id: '3' })).toEqual({ _id: '3', left: 'b', right: null });
    });

    test('whereExists leaves null and missing out of it', async () => {
      await things().insertMany([{ _id: '1' }, { _id: '2', code: null }, { _id: '3', code: 'x' }]);
      expect(await rejection(things().insertOne({ _id: '4', code: 'x' }))).toBe('DUPLICATE_KEY');
      expect(await things().count({})).toBe(3);
    });

    test('an update into another one’s key is DUPLICATE_KEY and changes nothing', async () => {
      await things().insertMany([
        { _id: '1', code: 'x' },
        { _id: '2', code: 'y' },
      ]);
      expect(await rejection(things().updateOne({ _id: '2' }, { $set: { code: 'x' } }))).toBe('DUPLICATE_KEY');
      expect(await things().findOne({ _id: '2' })).toEqual({ _id: '2', code: 'y' });
    });

    test('insertMany is unordered: each is tried, the outcomes come in the order given', async () => {
      await things().insertOne({ _id: 'there' });
      const outcomes = await things().insertMany([
        { _id: 'new' },
        { _id: 'there' },
        { _id: 'coded', code: 'x' },
        { _id: 'same code', code: 'x' },
        { _id: 'new' },
        { _id: 'last' },
      ]);
      expect(outcomes).toEqual(['inserted', 'duplicate', 'inserted', 'duplicate', 'duplicate', 'inserted']);
      expect(ids(await things().find({}, { sort: [['_id', 1]] }))).toEqual(['coded', 'last', 'new', 'there']);
      expect(await things().insertMany([])).toEqual([]);
    });
  });
}
