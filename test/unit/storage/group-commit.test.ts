import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Counters, createCounters } from '../../../lib/storage/sqlite/counters.ts';
import { createGroupCommit, type GroupCommit } from '../../../lib/storage/sqlite/group-commit.ts';
import { rejection } from '../../integration/storage/conformance-kit.ts';

let db: DatabaseSync;
let group: GroupCommit;
let counters: Counters;
beforeEach(() => {
  db = new DatabaseSync(':memory:');
  db.exec(`
    PRAGMA foreign_keys = ON;
    CREATE TABLE parent (id TEXT PRIMARY KEY);
    CREATE TABLE child (parent TEXT REFERENCES parent DEFERRABLE INITIALLY DEFERRED, body BLOB);
  `);
  db.exec('CREATE TABLE "_counters" (name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL)');
  counters = createCounters((sql) => db.prepare(sql));
  group = createGroupCommit(db, counters);
});
afterEach(() => db.close());

const put = (sql: string, ...values: string[]) => group.write(() => db.prepare(sql).run(...values).changes);
const insertParent = (id: string) => put('INSERT INTO parent VALUES (?)', id);
const insertOrphan = () => put("INSERT INTO child VALUES ('nobody', NULL)");
const countParents = () => group.read(() => Number(db.prepare('SELECT count(*) AS n FROM parent').get()?.n));

describe('group commit', () => {
  test('shares one transaction among what is asked for in one turn of the event loop', async () => {
    const first = [insertParent('a'), insertParent('b')];
    expect(db.isTransaction).toBe(true);
    await Promise.all(first);
    expect(db.isTransaction).toBe(false);
    expect(await countParents()).toBe(2);
  });

  test('a failing operation fails alone', async () => {
    const outcomes = await Promise.all(
      [
        insertParent('a'),
        group.write(() => Promise.reject(new Error('never called')).catch(() => 1)),
        insertParent('b'),
      ].map(rejection),
    );
    expect(outcomes).toEqual(['resolved', 'resolved', 'resolved']);
    const mixed = await Promise.all([insertParent('c'), insertParent('a'), insertParent('d')].map(rejection));
    expect(mixed).toEqual(['resolved', 'STORE_UNAVAILABLE', 'resolved']);
    expect(await countParents()).toBe(4);
  });

  test('a commit that fails fails everything that waits for it, reads included, and keeps nothing', async () => {
    const outcomes = await Promise.all(
      [insertParent('a'), insertOrphan(), countParents(), insertParent('b')].map(rejection),
    );
    expect(outcomes).toEqual(Array(4).fill('STORE_UNAVAILABLE'));
    expect(await countParents()).toBe(0);
    expect(await insertParent('a')).toBe(1);
    expect(await countParents()).toBe(1);
  });

  test('goes on after the disk was full', async () => {
    db.exec(`PRAGMA max_page_count = ${Number(db.prepare('PRAGMA page_count').get()?.page_count) + 5}`);
    const fill = () => put('INSERT INTO child VALUES (NULL, randomblob(1000000))');
    expect(await rejection(fill())).toBe('STORE_UNAVAILABLE');
    expect(db.isTransaction).toBe(false);
    db.exec('PRAGMA max_page_count = 100000');
    expect(await insertParent('a')).toBe(1);
  });

  test('commits what is open when it is closed, then refuses', async () => {
    const last = insertParent('a');
    group.close();
    expect(await last).toBe(1);
    expect(await rejection(insertParent('b'))).toBe('STORE_UNAVAILABLE');
    expect(await rejection(countParents())).toBe('STORE_UNAVAILABLE');
  });
});

describe('counters', () => {
  const next = (name: string) => group.write(() => counters.next(name));
  const refused = () =>
    group.write(() => {
      counters.next('a');
      throw new Error('refused');
    });

  test('count on across transactions, without a gap where an operation failed', async () => {
    expect(await Promise.all([next('a'), next('b'), rejection(refused()), next('a')])).toEqual([
      1,
      1,
      'untyped: Error: refused',
      2,
    ]);
    expect(await Promise.all([rejection(refused()), next('a'), next('b')])).toEqual(['untyped: Error: refused', 3, 2]);
  });

  test('forget what a transaction counted that was not committed', async () => {
    expect(await next('a')).toBe(1);
    await Promise.all([rejection(next('a')), rejection(insertOrphan())]);
    expect(await next('a')).toBe(2);
  });

  test('see what another writer counted', async () => {
    expect(await next('a')).toBe(1);
    db.exec(`UPDATE "_counters" SET value = 7 WHERE name = 'a'`);
    expect(await next('a')).toBe(8);
  });
});
