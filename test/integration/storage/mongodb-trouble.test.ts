import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ClientSession, MongoClient } from 'mongodb';
import { openMongoStore } from '../../../lib/storage/mongodb/mongo-store.ts';
import type { Store, Write } from '../../../lib/storage/port.ts';
import { type RunningServer, startMongo } from '../../../scripts/servers/index.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type TemporaryMongoStore, temporaryMongoStore } from '../../helpers/temporary-mongo-store.ts';
import { LOG, rejection, THINGS, type Thing } from './conformance-kit.ts';
import { TEST_COLLECTIONS } from './test-collections.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startMongo({ ...process.env, MONGO_URL: '' }, { durable: true });
});
afterAll(() => server.stop());

let opened: TemporaryMongoStore;
let store: Store;
beforeEach(async () => {
  opened = await temporaryMongoStore(server.url, TEST_COLLECTIONS);
  store = opened.store;
});
afterEach(() => opened.remove());

const append = (_id: string, stream: string): Write => ({
  op: 'insert',
  collection: LOG,
  doc: { _id, stream } as Thing,
});
const bump = (_id: string): Write => ({
  op: 'update',
  collection: THINGS,
  filter: { _id },
  update: { $inc: { n: 1 } },
  upsert: true,
});

/** How many transactions the driver commits meanwhile. */
async function commitsDuring(run: () => Promise<unknown>): Promise<number> {
  const commit = jest.spyOn(ClientSession.prototype, 'commitTransaction');
  try {
    await run();
    return commit.mock.calls.length;
  } finally {
    commit.mockRestore();
  }
}

describe('MongoDB in trouble', () => {
  test('a killed server is STORE_UNAVAILABLE within seconds, with an unknown outcome for writes; later it goes on', async () => {
    const things = store.collection<Thing>(THINGS);
    await things.insertOne({ _id: 'before' });
    await server.process?.kill();
    const startedAt = performance.now();
    const writes = [things.insertOne({ _id: 'x' }), things.insertMany([{ _id: 'y' }])];
    for (const write of await Promise.allSettled(writes)) {
      expect(write).toMatchObject({ reason: { type: 'STORE_UNAVAILABLE', data: { outcome: 'unknown' } } });
    }
    /* a transaction whose commit was never sent was surely not applied */
    await expect(store.atomically([bump('z')])).rejects.toMatchObject({ type: 'STORE_UNAVAILABLE', data: undefined });
    const reads = [things.findOne({ _id: 'before' }), things.count({}), store.ping()];
    expect(await Promise.all(reads.map(rejection))).toEqual(reads.map(() => 'STORE_UNAVAILABLE'));
    expect(performance.now() - startedAt).toBeLessThan(9_000);
    await server.process?.start();
    await eventually(async () => expect(await things.findOne({ _id: 'before' })).toEqual({ _id: 'before' }));
    await store.atomically([bump('z'), append('a', 's')]);
    expect(await things.findOne({ _id: 'z' })).toEqual({ _id: 'z', n: 1 });
  });

  test('a server that is killed under writers loses nothing that was answered and applies nothing twice', async () => {
    const answered: string[] = [];
    const unknown: string[] = [];
    let killed = false;
    const writer = async (name: string) => {
      for (let n = 0; !killed || n < 5; n++) {
        const id = `${name}.${n}`;
        try {
          await store.atomically([append(id, name), bump(`count-${name}`)]);
          answered.push(id);
        } catch (error) {
          expect(error).toMatchObject({ type: 'STORE_UNAVAILABLE' });
          unknown.push(id);
        }
      }
    };
    const writers = ['a', 'b', 'c', 'd'].map(writer);
    await eventually(() => expect(answered.length).toBeGreaterThan(20));
    await server.process?.kill();
    killed = true;
    await server.process?.start();
    await Promise.all(writers);

    const log = await eventually(() => store.collection<Thing>(LOG).find({}, { sort: [['position', 1]] }));
    const there = new Set(log.map(({ _id }) => _id));
    expect(answered.filter((id) => !there.has(id))).toEqual([]);
    expect([...there].filter((id) => !answered.includes(id) && !unknown.includes(id))).toEqual([]);
    expect(new Set(log.map(({ position }) => position)).size).toBe(log.length);
    for (const name of ['a', 'b', 'c', 'd']) {
      const own = log.filter(({ stream }) => stream === name);
      expect(own.map(({ seq }) => seq)).toEqual(own.map((_entry, n) => n + 1));
      const counted = await store.collection<Thing>(THINGS).findOne({ _id: `count-${name}` });
      expect(counted?.n).toBe(own.length);
    }
  });

  test('a server that holds the connection and answers nothing is STORE_UNAVAILABLE, not for ever', async () => {
    const impatient = await openMongoStore({ url: opened.url, collections: TEST_COLLECTIONS, socketTimeoutMs: 1_000 });
    const things = impatient.collection<Thing>(THINGS);
    await things.insertOne({ _id: 'before' });
    server.process?.pause();
    const startedAt = performance.now();
    /* the signal takes a moment: a few may still get through */
    let n = 0;
    await eventually(async () =>
      expect(await rejection(things.insertOne({ _id: `x${n++}` }))).toBe('STORE_UNAVAILABLE'),
    ).finally(() => server.process?.resume());
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    await eventually(() => things.findOne({ _id: 'before' }));
    await impatient.close();
  });

  test('groups of two processes over the same counters all get through, each applied once', async () => {
    const other = await opened.another();
    const groups = 60;
    await Promise.all(
      [store, other].flatMap((one, side) =>
        Array.from({ length: groups }, (_, n) => one.atomically([append(`${side}.${n}`, 'shared'), bump('total')])),
      ),
    );
    const log = await store.collection<Thing>(LOG).find({}, { sort: [['position', 1]] });
    expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: groups * 2 }, (_, n) => n + 1));
    expect(await store.collection<Thing>(THINGS).findOne({ _id: 'total' })).toEqual({ _id: 'total', n: groups * 2 });
  });

  test('many appends share one transaction', async () => {
    const groups = 400;
    const commits = await commitsDuring(() =>
      Promise.all(Array.from({ length: groups }, (_, n) => store.atomically([append(`g${n}`, `s${n % 50}`)]))),
    );
    expect(commits).toBeLessThan(groups / 20);
    expect(await store.collection(LOG).count({})).toBe(groups);
  });

  test.each([
    ['mongodb://user:secret-word@127.0.0.1:1/?directConnection=true', 'STORE_UNAVAILABLE'],
    ['mongodb://user:secret-word@a/?w=nonsense&readConcernLevel=7&tls=perhaps', 'CONFIG_INVALID'],
  ])('%s refuses the start, and names no password', async (url, type) => {
    const error: unknown = await openMongoStore({ url }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ type });
    expect(String(error)).not.toContain('secret-word');
  });

  test('a database that a newer version wrote is refused', async () => {
    const client = new MongoClient(opened.url);
    await client
      .db()
      .collection<{ _id: string }>('_meta')
      .updateOne({ _id: 'schema' }, { $set: { version: 99 } });
    await client.close();
    expect(await rejection(openMongoStore({ url: opened.url }))).toBe('CONFIG_INVALID');
  });

  test('four processes that start at once make the collections and indexes together', async () => {
    await opened.remove();
    const stores = await Promise.all(Array.from({ length: 4 }, () => openMongoStore({ url: opened.url })));
    await Promise.all(stores.map((one) => one.close()));
    opened = await temporaryMongoStore(server.url, TEST_COLLECTIONS);
  });
});
