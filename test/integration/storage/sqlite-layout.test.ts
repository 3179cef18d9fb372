import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Collection, CollectionSpec, Doc } from '../../../lib/storage/port.ts';
import { openSqliteStore } from '../../../lib/storage/sqlite/sqlite-store.ts';

interface Thing extends Doc {
  kind?: string;
  size?: number;
  live?: boolean;
}

const spec = (...fields: string[]): CollectionSpec => ({
  name: 'things',
  indexes: fields.map((field) => ({ fields: [[field, 1] as const], unique: field === 'kind' })),
});

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'castellan-layout-'));
  path = join(directory, 'layout.db');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function withStore<R>(collection: CollectionSpec, work: (things: Collection<Thing>) => Promise<R>): Promise<R> {
  const store = await openSqliteStore({ path, collections: [collection] });
  try {
    return await work(store.collection<Thing>('things'));
  } finally {
    await store.close();
  }
}
const ids = (docs: Thing[]) => docs.map(({ _id }) => _id).sort();

test('takes over a file whose indexes are expressions over the documents (layout 1)', async () => {
  const db = new DatabaseSync(path);
  db.exec(`
    CREATE TABLE things (_id TEXT PRIMARY KEY NOT NULL, doc TEXT NOT NULL, bytes BLOB);
    CREATE UNIQUE INDEX "ix:things:kind:unique" ON things (json_extract(doc,'$."kind"'));
    INSERT INTO things VALUES ('a', '{"_id":"a","kind":"x","size":2,"live":true}', NULL);
    INSERT INTO things VALUES ('b', '{"_id":"b","kind":"y","size":1,"live":false}', NULL);
    INSERT INTO things VALUES ('c', '{"_id":"c","kind":"z"}', NULL);
    PRAGMA user_version = 1;
  `);
  db.close();
  await withStore(spec('kind', 'size', 'live'), async (things) => {
    expect(ids(await things.find({ live: true }))).toEqual(['a']);
    expect(ids(await things.find({ live: false }))).toEqual(['b']);
    expect(ids(await things.find({ live: null }))).toEqual(['c']);
    expect(ids(await things.find({ size: { $gte: 1 } }))).toEqual(['a', 'b']);
    await expect(things.insertOne({ _id: 'd', kind: 'x' })).rejects.toMatchObject({
      type: 'DUPLICATE_KEY',
      data: { collection: 'things', keys: ['kind'] },
    });
  });
});

test('finds what was written while a field had no index, once it has one', async () => {
  await withStore(spec('size'), (things) => things.insertOne({ _id: 'a', size: 1, kind: 'x' }));
  await withStore(spec('kind'), async (things) => {
    await things.updateOne({ _id: 'a' }, { $set: { size: 2 } });
    await things.insertOne({ _id: 'b', size: 3, kind: 'y' });
  });
  await withStore(spec('size', 'kind'), async (things) => {
    expect(ids(await things.find({ size: 1 }))).toEqual([]);
    expect(ids(await things.find({ size: { $in: [2, 3] } }))).toEqual(['a', 'b']);
    expect(ids(await things.find({ kind: 'x' }))).toEqual(['a']);
  });
});
