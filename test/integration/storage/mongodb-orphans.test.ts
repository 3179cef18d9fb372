import { spawn } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openMongoStore } from '../../../lib/storage/mongodb/mongo-store.ts';
import { type RunningServer, startMongo } from '../../../scripts/servers/index.ts';
import { type TemporaryMongoStore, temporaryMongoStore } from '../../helpers/temporary-mongo-store.ts';
import { THINGS, type Thing } from './conformance-kit.ts';
import { TEST_COLLECTIONS } from './test-collections.ts';

const OWNERS = pathToFileURL(
  fileURLToPath(new URL('../../../lib/storage/mongodb/transaction-owners.ts', import.meta.url)),
).href;
/** far below the minute for which MongoDB keeps a transaction of somebody who died */
const SOON_MS = 15_000;

let server: RunningServer;
beforeAll(async () => {
  server = await startMongo();
});
afterAll(() => server.stop());

let opened: TemporaryMongoStore;
beforeEach(async () => {
  opened = await temporaryMongoStore(server.url, TEST_COLLECTIONS);
});
afterEach(() => opened.remove());

/** A process dies (kill -9) in the middle of a transaction that wrote the document. */
async function dieHolding(documentId: string, processName: string): Promise<void> {
  const source = `
    const { MongoClient } = await import(${JSON.stringify(import.meta.resolve('mongodb'))});
    const { registerTransactionOwner } = await import(${JSON.stringify(OWNERS)});
    const client = await new MongoClient(${JSON.stringify(opened.url)}).connect();
    const { session } = await registerTransactionOwner(client, client.db(), ${JSON.stringify(processName)});
    session.startTransaction();
    await client.db().collection('${THINGS}').updateOne({ _id: '${documentId}' }, { $set: { n: 1 } }, { session });
    console.log('holding');
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), ended]);
  child.kill('SIGKILL');
  await ended;
}

const change = {
  op: 'update',
  collection: THINGS,
  filter: { _id: 'x' },
  update: { $set: { n: 2 } },
  expect: 1,
} as const;

describe('the transaction of a process that was killed', () => {
  test('is ended by the others as soon as they have not heard of it for a while', async () => {
    await opened.store.collection<Thing>(THINGS).insertOne({ _id: 'x', n: 0 });
    await dieHolding('x', 'another');
    const began = performance.now();
    await opened.store.atomically([change]);
    expect(performance.now() - began).toBeLessThan(SOON_MS);
    expect(await opened.store.collection<Thing>(THINGS).findOne({ _id: 'x' })).toMatchObject({ n: 2 });
  }, 60_000);

  test('is ended by its successor at once', async () => {
    await opened.store.collection<Thing>(THINGS).insertOne({ _id: 'x', n: 0 });
    await dieHolding('x', 'node-1');
    const successor = await openMongoStore({ url: opened.url, collections: TEST_COLLECTIONS, processName: 'node-1' });
    try {
      const began = performance.now();
      await successor.atomically([change]);
      expect(performance.now() - began).toBeLessThan(2_000);
    } finally {
      await successor.close();
    }
  }, 60_000);

  test('is left alone while its process lives, however long it takes', async () => {
    const others = await Promise.all([opened.another(), opened.another()]);
    for (let n = 0; n < 8; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await Promise.all(
        others.map((store, index) =>
          store.atomically([{ op: 'insert', collection: THINGS, doc: { _id: `${n} ${index}` } }]),
        ),
      );
    }
    expect(await opened.store.collection<Thing>(THINGS).count({})).toBe(16);
  }, 60_000);
});
