import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Filter } from '../../../lib/storage/port.ts';
import { freshStore, ids, type OpenStore, rejection, THINGS, type Thing } from './conformance-kit.ts';
import { matches } from './filter-model.ts';

const DOCS: readonly Thing[] = [
  { _id: 'number', v: 1, indexed: 1 },
  { _id: 'string', v: '1', indexed: '1' },
  { _id: 'true', v: true, indexed: true },
  { _id: 'false', v: false, indexed: false },
  { _id: 'zero', v: 0, indexed: 0 },
  { _id: 'null', v: null, indexed: null },
  { _id: 'missing' },
  { _id: 'list', v: [1, 'b', null] },
  { _id: 'object', v: { a: 1 }, nested: { n: 5, indexed: 5, deep: { x: 'y' } } },
  { _id: 'text', v: 'b', indexed: 'b' },
];

const scalar = fc.oneof(
  fc.constantFrom('', '0', '1', 'a', 'b', 'ab', 'true', 'null', '[1]', '[]', '{}', '{"a":1}', 'é', '🏰', '\uffee'),
  fc.integer({ min: -2, max: 2 }),
  fc.constantFrom(0.5, 1.5),
  fc.boolean(),
  fc.constant(null),
);
const bound = fc.oneof(
  scalar.filter((value) => typeof value === 'string'),
  fc.integer({ min: -2, max: 2 }),
);
const stored = fc.oneof(
  { weight: 3, arbitrary: scalar },
  fc.array(scalar, { maxLength: 3 }),
  fc.constantFrom([1], [], { a: 1 }, {}),
);
const thing = fc.record(
  { v: stored, indexed: scalar, nested: fc.record({ n: stored, indexed: scalar }, { requiredKeys: [] }) },
  { requiredKeys: [] },
);
const operators = fc
  .record(
    {
      $eq: scalar,
      $ne: scalar,
      $in: fc.array(scalar, { maxLength: 4 }),
      $nin: fc.array(scalar, { maxLength: 4 }),
      $gt: bound,
      $gte: bound,
      $lt: bound,
      $lte: bound,
      $exists: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  .filter((made) => Object.keys(made).length > 0 && Object.keys(made).length < 4);
const plainFilter = fc.dictionary(
  fc.constantFrom('v', 'indexed', 'nested.n', 'nested.indexed', 'nested', 'v.a', 'nope', '_id'),
  fc.oneof(scalar, operators),
  { maxKeys: 3 },
);
const filter = fc
  .tuple(plainFilter, fc.option(fc.array(plainFilter, { minLength: 1, maxLength: 3 })))
  .map(([own, or]) => (or ? { ...own, $or: or } : own));

export function filterConformance(open: OpenStore): void {
  describe('filters', () => {
    const context = freshStore(open);
    const things = () => context.store.collection<Thing>(THINGS);
    const found = async (filter: Filter) => ids(await things().find(filter)).sort();
    const all = ids(DOCS as Thing[]).sort();
    const without = (...names: string[]) => all.filter((name) => !names.includes(name));

    beforeEach(async () => {
      await things().insertMany(DOCS);
    });

    test('types never mix, and a list matches when one element does', async () => {
      expect(await found({ v: 1 })).toEqual(['list', 'number']);
      expect(await found({ v: '1' })).toEqual(['string']);
      expect(await found({ v: true })).toEqual(['true']);
      expect(await found({ v: false })).toEqual(['false']);
      expect(await found({ indexed: 1 })).toEqual(['number']);
      expect(await found({ indexed: '1' })).toEqual(['string']);
      expect(await found({ indexed: true })).toEqual(['true']);
      expect(await found({ v: '{"a":1}' })).toEqual([]);
      expect(await found({ v: '[1,"b",null]' })).toEqual([]);
    });

    test('null is null or missing; $exists tells them apart', async () => {
      expect(await found({ v: null })).toEqual(['list', 'missing', 'null']);
      expect(await found({ v: { $exists: false } })).toEqual(['missing']);
      expect(await found({ v: { $exists: true } })).toEqual(without('missing'));
      expect(await found({ indexed: { $exists: true, $eq: null } })).toEqual(['null']);
    });

    test('$ne and $nin match what is missing', async () => {
      expect(await found({ v: { $ne: 1 } })).toEqual(without('number', 'list'));
      expect(await found({ v: { $ne: null } })).toEqual(without('null', 'missing', 'list'));
      expect(await found({ v: { $nin: [1, null] } })).toEqual(without('number', 'list', 'null', 'missing'));
      expect(await found({ v: { $nin: [] } })).toEqual(all);
      expect(await found({ v: { $in: [] } })).toEqual([]);
      expect(await found({ indexed: { $in: [0, 'b', null] } })).toEqual([
        'list',
        'missing',
        'null',
        'object',
        'text',
        'zero',
      ]);
    });

    test('ranges keep to the type of their bound', async () => {
      expect(await found({ v: { $gte: 0 } })).toEqual(['list', 'number', 'zero']);
      expect(await found({ v: { $lt: 'z' } })).toEqual(['list', 'string', 'text']);
      expect(await found({ indexed: { $lt: 'b' } })).toEqual(['string']);
      expect(await found({ indexed: { $gt: -1, $lte: 1 } })).toEqual(['number', 'zero']);
    });

    test('dotted paths reach into objects', async () => {
      expect(await found({ 'nested.n': 5 })).toEqual(['object']);
      expect(await found({ 'nested.indexed': { $gt: 4 } })).toEqual(['object']);
      expect(await found({ 'nested.deep.x': 'y', 'v.a': 1 })).toEqual(['object']);
      expect(await found({ 'nested.deep.nope': 'y' })).toEqual([]);
    });

    test('$or holds when one filter does, together with the rest', async () => {
      expect(await found({ $or: [{ v: '1' }, { v: true }] })).toEqual(['string', 'true']);
      expect(await found({ v: 1, $or: [{ _id: 'list' }, { _id: 'text' }] })).toEqual(['list']);
      expect(await found({ $or: [{ $or: [{ v: 'b' }] }, { _id: 'zero' }] })).toEqual(['list', 'text', 'zero']);
    });

    test('ids are strings only', async () => {
      await things().insertOne({ _id: '7' });
      expect(await found({ _id: 7 })).toEqual([]);
      expect(await found({ _id: { $in: [7, '7'] } })).toEqual(['7']);
      expect(await found({ _id: null })).toEqual([]);
      expect(await found({ _id: { $lt: 9 } })).toEqual([]);
      expect(await found({ _id: { $ne: 7 } })).toHaveLength(DOCS.length + 1);
    });

    test('the empty filter matches everything; count counts', async () => {
      expect(await found({})).toEqual(all);
      expect(await things().count({})).toBe(DOCS.length);
      expect(await things().count({ v: 1 })).toBe(2);
    });

    test.each<[string, unknown]>([
      ['an object in the place of a scalar', { v: { a: 1 } }],
      ['an empty condition', { v: {} }],
      ['a list in the place of a scalar', { v: [1] }],
      ['undefined', { v: undefined }],
      ['an operator with undefined', { v: { $eq: undefined } }],
      ['NaN', { v: Number.NaN }],
      ['an unknown operator', { v: { $regex: '.*' } }],
      ['$not', { v: { $not: { $eq: 1 } } }],
      ['$where', { $where: 'sleep(1000)' }],
      ['$and', { $and: [{ v: 1 }] }],
      ['an operator and a field together', { v: { $eq: 1, a: 1 } }],
      ['an object below $ne', { v: { $ne: { $gt: '' } } }],
      ['an object in $in', { v: { $in: [{ $gt: '' }] } }],
      ['a scalar in $in', { v: { $in: 'abc' } }],
      ['a boolean bound', { v: { $gt: true } }],
      ['a number for $exists', { v: { $exists: 1 } }],
      ['an empty $or', { $or: [] }],
      ['an object as $or', { $or: { v: 1 } }],
      ['a scalar inside $or', { $or: ['x'] }],
      ['bytes', { v: new Uint8Array(1) }],
      ['a regular expression', { v: /x/ }],
      ['a field name with a quote', { "v') OR 1=1 --": 1 }],
      ['a field name with a double quote', { 'v"': 1 }],
      ['an empty field name', { '': 1 }],
      ['an empty part of a path', { 'a..b': 1 }],
      ['a numeric part of a path', { 'v.0': 1 }],
      ['__proto__', JSON.parse('{"__proto__": {"a": 1}}')],
      ['__proto__ in a path', { 'a.__proto__.b': 1 }],
      ['constructor', { constructor: 1 }],
      ['a list as the filter', [{ v: 1 }]],
      ['a string as the filter', 'v'],
      ['null as the filter', null],
      [
        'a filter without an end',
        (() => {
          let deep: Filter = { v: 1 };
          for (let i = 0; i < 50; i++) deep = { $or: [deep] };
          return deep;
        })(),
      ],
    ])('%s is BAD_REQUEST everywhere, never an unfiltered query', async (_what, bad) => {
      const filter = bad as Filter;
      const outcomes = await Promise.all(
        [
          things().find(filter),
          things().findOne(filter),
          things().count(filter),
          things().updateOne(filter, { $set: { hit: true } }),
          things().updateMany(filter, { $set: { hit: true } }),
          things().findOneAndUpdate(filter, { $set: { hit: true } }),
          things().deleteOne(filter),
          things().deleteMany(filter),
          context.store.atomically([{ op: 'delete', collection: THINGS, filter }]),
          context.store.atomically([{ op: 'update', collection: THINGS, filter, update: { $set: { hit: true } } }]),
        ].map(rejection),
      );
      expect(outcomes).toEqual(outcomes.map(() => 'BAD_REQUEST'));
      expect(await things().count({ hit: { $exists: false } })).toBe(DOCS.length);
    });

    test('mean the same as the reference model, whatever the documents and the filter', async () => {
      await things().deleteMany({});
      await fc.assert(
        fc.asyncProperty(
          fc.array(thing, { maxLength: 6 }),
          fc.array(filter, { minLength: 1, maxLength: 8 }),
          async (made, filters) => {
            const docs = made.map((fields, index) => ({ _id: 'abcdef'.charAt(index), ...fields }) as Thing);
            await things().insertMany(docs);
            for (const one of filters) {
              expect(await found(one as Filter)).toEqual(ids(docs.filter((doc) => matches(doc, one as Filter))));
              expect(await things().count(one as Filter)).toBe(
                docs.filter((doc) => matches(doc, one as Filter)).length,
              );
            }
            await things().deleteMany({});
          },
        ),
        { numRuns: 150 },
      );
    });
  });

  describe('lists', () => {
    const context = freshStore(open);
    const things = () => context.store.collection<Thing>(THINGS);

    test('sort by several fields, both ways, nothing before numbers before text', async () => {
      await things().insertMany([
        { _id: '1', v: 'b', n: 1 },
        { _id: '2', v: 5, n: 1 },
        { _id: '3', n: 1 },
        { _id: '4', v: 'a', n: 2 },
        { _id: '5', v: -1, n: 2 },
      ]);
      expect(ids(await things().find({}, { sort: [['v', 1]] }))).toEqual(['3', '5', '2', '4', '1']);
      expect(ids(await things().find({}, { sort: [['v', -1]] }))).toEqual(['1', '4', '2', '5', '3']);
      const mixed = await things().find(
        {},
        {
          sort: [
            ['n', -1],
            ['_id', 1],
          ],
        },
      );
      expect(ids(mixed)).toEqual(['4', '5', '1', '2', '3']);
      expect((await things().findOne({ n: 1 }, { sort: [['_id', -1]] }))?._id).toBe('3');
    });

    test('limit and skip', async () => {
      await things().insertMany(Array.from({ length: 10 }, (_, n) => ({ _id: `${n}`, n })));
      expect(ids(await things().find({}, { sort: [['n', 1]], limit: 3, skip: 2 }))).toEqual(['2', '3', '4']);
      expect(ids(await things().find({}, { sort: [['n', 1]], skip: 8 }))).toEqual(['8', '9']);
    });

    test.each([
      { limit: 0 },
      { limit: -1 },
      { limit: 1.5 },
      { limit: Number.NaN },
      { limit: '5' },
      { skip: -1 },
      { sort: [['v', 2]] },
      { sort: [['v; DROP TABLE things', 1]] },
      { sort: [['__proto__', 1]] },
    ])('refuse %j', async (options) => {
      expect(await rejection(things().find({}, options as never))).toBe('BAD_REQUEST');
    });
  });
}
