import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Collection, type Db, type Document, MongoClient, MongoServerError, type UpdateFilter } from 'mongodb';
import { type RunningServer, startMongo } from '../../../scripts/servers/index.ts';
import { freshDatabase } from '../../helpers/temporary-mongo-store.ts';

/**
 * What docs/mongodb.md says that Castellan relies on, asked of the server itself, without our adapter. The numbers are
 * those of the list. Runs against whatever MONGO_URL names, otherwise against the server that the tests found.
 */
interface Row extends Document {
  _id: string;
}

const MAJORITY = {
  readConcern: { level: 'majority' as const },
  writeConcern: { w: 'majority' as const, journal: true },
};

describe('the server', () => {
  let server: RunningServer;
  let client: MongoClient;
  let db: Db;
  let rows: Collection<Row>;

  beforeAll(async () => {
    server = await startMongo();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    client = new MongoClient(freshDatabase(server.url), MAJORITY);
    db = client.db();
    rows = await db.createCollection<Row>('rows');
  });
  afterEach(async () => {
    await db.dropDatabase();
    await client.close();
  });

  async function failure(run: Promise<unknown>): Promise<MongoServerError> {
    const error: unknown = await run.then(
      () => 'resolved',
      (reason: unknown) => reason,
    );
    if (!(error instanceof MongoServerError)) throw new Error(`expected an error of the server, got ${error}`);
    return error;
  }

  test('1: is a member of a replica set, or a router', async () => {
    const hello = await db.admin().command({ hello: 1 });
    expect(hello.setName ?? hello.msg).toEqual(expect.any(String));
  });

  test('2: a second document under the same _id is E11000, which names the index', async () => {
    await rows.insertOne({ _id: 'a' });
    const error = await failure(rows.insertOne({ _id: 'a' }));
    expect([error.code, error.message]).toEqual([11_000, expect.stringMatching(/index: _id_ dup key/)]);
  });

  test('2: of many inserts of one _id at once one succeeds', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 30 }, (_, by) => rows.insertOne({ _id: 'a', by })));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('3: unique indexes take null and missing for equal; partial ones by $type leave them out', async () => {
    await rows.createIndex({ left: 1 }, { unique: true, name: 'ix:left:unique' });
    await rows.insertOne({ _id: 'a' });
    const error = await failure(rows.insertOne({ _id: 'b', left: null }));
    expect([error.code, error.message]).toEqual([11_000, expect.stringMatching(/index: ix:left:unique dup key/)]);
    const others = await db.createCollection<Row>('others');
    const types = { $type: ['string', 'number', 'bool'] };
    await others.createIndex({ code: 1 }, { unique: true, partialFilterExpression: { code: types } });
    await others.insertMany([{ _id: 'a' }, { _id: 'b', code: null }, { _id: 'c', code: 'x' }]);
    expect((await failure(others.insertOne({ _id: 'd', code: 'x' }))).code).toBe(11_000);
  });

  test('4: an unordered insertMany tries each and names those that failed', async () => {
    await rows.insertOne({ _id: 'there' });
    const error = await failure(rows.insertMany([{ _id: 'a' }, { _id: 'there' }, { _id: 'b' }], { ordered: false }));
    expect([error.writeErrors].flat().map(({ index, code }) => [index, code])).toEqual([[1, 11_000]]);
    expect(await rows.countDocuments()).toBe(3);
  });

  test('5: a compare-and-set has one winner', async () => {
    await rows.insertOne({ _id: 'a', version: 0 });
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, () => rows.updateOne({ _id: 'a', version: 0 }, { $inc: { version: 1 } })),
    );
    expect(outcomes.reduce((sum, { matchedCount }) => sum + matchedCount, 0)).toBe(1);
  });

  test('6: what a transaction wrote is seen by nobody before its commit, and by everybody after it', async () => {
    await client.withSession(async (session) => {
      session.startTransaction(MAJORITY);
      await rows.insertOne({ _id: 'a' }, { session });
      await rows.updateOne({ _id: 'counter' }, { $inc: { value: 1 } }, { session, upsert: true });
      expect(await rows.findOne({ _id: 'counter' }, { session })).toEqual({ _id: 'counter', value: 1 });
      expect(await rows.countDocuments()).toBe(0);
      await session.commitTransaction();
    });
    expect(await rows.countDocuments()).toBe(2);
  });

  test('6: an aborted transaction leaves nothing, and neither does one with a duplicate key', async () => {
    await rows.insertOne({ _id: 'there' });
    for (const breaks of [false, true]) {
      await client.withSession(async (session) => {
        session.startTransaction(MAJORITY);
        await rows.insertOne({ _id: 'a' }, { session });
        if (breaks) expect((await failure(rows.insertOne({ _id: 'there' }, { session }))).code).toBe(11_000);
        await session.abortTransaction();
      });
    }
    expect(await rows.countDocuments()).toBe(1);
  });

  test('7: two transactions that write the same document conflict: the second is told so, and may begin again', async () => {
    await rows.insertOne({ _id: 'counter', value: 0 });
    const [first, second] = [client.startSession(), client.startSession()];
    first.startTransaction(MAJORITY);
    second.startTransaction(MAJORITY);
    await rows.updateOne({ _id: 'counter' }, { $inc: { value: 1 } }, { session: first });
    const error = await failure(rows.updateOne({ _id: 'counter' }, { $inc: { value: 1 } }, { session: second }));
    expect(error.hasErrorLabel('TransientTransactionError')).toBe(true);
    await first.commitTransaction();
    await second.abortTransaction();
    second.startTransaction(MAJORITY);
    await rows.updateOne({ _id: 'counter' }, { $inc: { value: 1 } }, { session: second });
    await second.commitTransaction();
    await Promise.all([first.endSession(), second.endSession()]);
    expect(await rows.findOne({ _id: 'counter' })).toEqual({ _id: 'counter', value: 2 });
  });

  test('7: a transaction that writes what changed after it began conflicts too', async () => {
    await rows.insertOne({ _id: 'a', value: 0 });
    await client.withSession(async (session) => {
      session.startTransaction(MAJORITY);
      await rows.findOne({ _id: 'a' }, { session });
      await rows.updateOne({ _id: 'a' }, { $set: { value: 1 } });
      const error = await failure(rows.updateOne({ _id: 'a' }, { $set: { value: 2 } }, { session }));
      expect(error.hasErrorLabel('TransientTransactionError')).toBe(true);
      await session.abortTransaction();
    });
  });

  test('8: a commit that is sent again is answered again, and applied once', async () => {
    await client.withSession(async (session) => {
      session.startTransaction(MAJORITY);
      await rows.updateOne({ _id: 'a' }, { $inc: { value: 1 } }, { session, upsert: true });
      await session.commitTransaction();
      await session.commitTransaction();
    });
    expect(await rows.findOne({ _id: 'a' })).toEqual({ _id: 'a', value: 1 });
  });

  test('8: a write that the driver sends again under its number is applied once', async () => {
    const session = client.startSession();
    const command = {
      update: 'rows',
      updates: [{ q: { _id: 'a' }, u: { $inc: { value: 1 } }, upsert: true }],
      lsid: session.id,
      txnNumber: 1n,
    };
    const plain = new MongoClient(server.url);
    const target = plain.db(db.databaseName);
    await target.command(command);
    await target.command(command);
    await plain.close();
    await session.endSession();
    expect(await rows.findOne({ _id: 'a' })).toEqual({ _id: 'a', value: 1 });
  });

  test('9: what was answered is seen by the next read, of another client as well', async () => {
    const other = new MongoClient(server.url, MAJORITY);
    for (let n = 0; n < 20; n++) {
      await rows.updateOne({ _id: 'a' }, { $set: { n } }, { upsert: true });
      expect((await other.db(db.databaseName).collection<Row>('rows').findOne({ _id: 'a' }))?.n).toBe(n);
    }
    await other.close();
  });

  test('10: an update that does not fit the document is an error with a code of its own', async () => {
    await rows.insertOne({ _id: 'a', text: 't', none: null, list: [1] });
    const codes = [];
    const misfits: Document[] = [
      { $inc: { none: 1 } },
      { $push: { text: 1 } },
      { $set: { 'list.x': 1 } },
      { $set: { _id: 'b' } },
    ];
    for (const update of misfits)
      codes.push((await failure(rows.updateOne({ _id: 'a' }, update as UpdateFilter<Row>))).code);
    expect(codes).toEqual([14, 2, 28, 66]);
  });
});
