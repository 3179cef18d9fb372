import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { COLLECTIONS } from '../../../lib/storage/collections.ts';
import { openSqliteStore } from '../../../lib/storage/sqlite/sqlite-store.ts';
import { type Doc, LOG, rejection, THINGS, type Thing } from './conformance-kit.ts';
import { TEST_COLLECTIONS } from './test-collections.ts';

const WRITER = join(import.meta.dirname, '../../helpers/sqlite-writer.ts');

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'castellan-store-'));
  path = join(directory, 'castellan.db');
});
afterEach(() => rm(directory, { recursive: true }));

const openTestStore = () => openSqliteStore({ path, collections: TEST_COLLECTIONS });

/** Lets a process write until it has answered `answers` groups, kills it, and returns the groups that it answered. */
async function writeAndKill(first: number, answers: number): Promise<number[]> {
  const child = spawn(process.execPath, [WRITER, path, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let output = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    output += chunk;
    if (output.split('\n').length > answers) child.kill('SIGKILL');
  }
  await exited;
  // a line without its end was cut by the kill
  return output.split('\n').slice(0, -1).map(Number);
}

describe('the SQLite store', () => {
  test('has everything that it answered after kill -9, groups whole, numbers without a gap', async () => {
    const answered: number[] = [];
    for (let round = 0; round < 5; round++) answered.push(...(await writeAndKill(round * 1_000_000, 40 + round * 90)));
    expect(answered.length).toBeGreaterThan(500);
    const store = await openTestStore();
    const entries = await store.collection<Thing>(LOG).find({}, { sort: [['position', 1]] });
    await store.close();
    const present = new Set(entries.map((entry) => entry._id));
    expect(answered.filter((n) => !present.has(`${n}.a`) || !present.has(`${n}.b`))).toEqual([]);
    expect(
      [...present].filter((id) => !present.has(id.endsWith('a') ? id.replace('a', 'b') : id.replace('b', 'a'))),
    ).toEqual([]);
    for (const stream of ['s0', 's1', 's2', 's3', 's4']) {
      const seqs = entries.filter((entry) => entry.stream === stream).map((entry) => entry.seq);
      expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    }
    const db = new DatabaseSync(path);
    expect(db.prepare('PRAGMA integrity_check').get()?.integrity_check).toBe('ok');
    db.close();
  });

  test('answers nothing before it is durable: another connection sees it as soon as it is answered', async () => {
    const store = await openTestStore();
    const reader = new DatabaseSync(path, { readOnly: true });
    const count = () => Number(reader.prepare(`SELECT count(*) AS n FROM ${THINGS}`).get()?.n);
    let answered = 0;
    const things = store.collection<Thing>(THINGS);
    const writes = Array.from({ length: 50 }, async (_, n) => {
      await things.insertOne({ _id: `${n}` });
      answered++;
      return count();
    });
    expect([answered, count()]).toEqual([0, 0]);
    // a read, and the news of a duplicate, wait for what they have seen
    const read = things.count({}).then((seen) => [seen, count()]);
    const duplicate = rejection(things.insertOne({ _id: '0' })).then((type) => [type, count()]);
    expect(await Promise.all(writes)).toEqual(Array(50).fill(50));
    expect(await read).toEqual([50, 50]);
    expect(await duplicate).toEqual(['DUPLICATE_KEY', 50]);
    reader.close();
    await store.close();
  });

  test('answers STORE_UNAVAILABLE while another process holds the file, and goes on afterwards', async () => {
    const store = await openTestStore();
    const things = store.collection<Thing>(THINGS);
    await things.insertOne({ _id: 'before' });
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    expect(await rejection(things.insertOne({ _id: 'refused' }))).toBe('STORE_UNAVAILABLE');
    expect(await things.count({})).toBe(1);
    other.exec('ROLLBACK');
    other.close();
    await things.insertOne({ _id: 'after' });
    expect(await things.count({})).toBe(2);
    await store.close();
  });

  test('answers STORE_UNAVAILABLE to a write that SQLite cannot take, and to that one only', async () => {
    const store = await openTestStore();
    const things = store.collection<Thing>(THINGS);
    await things.insertOne({ _id: 'small' });
    const big = () => new Uint8Array(2 ** 30 + 1);
    // SQLite takes no value above a gigabyte
    const outcomes = await Promise.all([
      rejection(things.insertOne({ _id: 'huge', big: big() })),
      rejection(things.insertOne({ _id: 'fits' })),
    ]);
    expect(outcomes).toEqual(['STORE_UNAVAILABLE', 'resolved']);
    expect(await things.count({})).toBe(2);
    await store.close();
  });

  test('refuses a file that a newer version wrote, and leaves it as it is', async () => {
    await (await openTestStore()).close();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 99');
    db.close();
    await expect(openTestStore()).rejects.toMatchObject({
      type: 'CONFIG_INVALID',
      message: expect.stringContaining('newer'),
    });
    const again = new DatabaseSync(path);
    expect(again.prepare('PRAGMA user_version').get()?.user_version).toBe(99);
    again.close();
  });

  test('answers STORE_UNAVAILABLE for a file that is no database or cannot be made', async () => {
    expect(await rejection(openSqliteStore({ path: join(directory, 'no/such/directory.db') }))).toBe(
      'STORE_UNAVAILABLE',
    );
    expect(await rejection(openSqliteStore({ path: WRITER }))).toBe('STORE_UNAVAILABLE');
  });

  test('takes up new indexes and drops old ones when the collections change', async () => {
    const before = await openSqliteStore({
      path,
      collections: [{ name: 'c', indexes: [{ fields: [['a', 1]], unique: true }] }],
    });
    await before.collection('c').insertOne({ _id: '1', a: 1 } as Doc);
    await before.close();
    const after = await openSqliteStore({ path, collections: [{ name: 'c', indexes: [{ fields: [['b', 1]] }] }] });
    await after.collection('c').insertOne({ _id: '2', a: 1 } as Doc);
    expect(await after.collection('c').count({ a: 1 })).toBe(2);
    await after.close();
  });

  test('holds Castellan’s own collections', async () => {
    const store = await openSqliteStore({ path });
    for (const { name } of COLLECTIONS) expect(await store.collection(name).count({})).toBe(0);
    await store.close();
  });
});
