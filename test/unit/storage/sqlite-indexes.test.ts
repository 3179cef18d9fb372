import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { COLLECTIONS } from '../../../lib/storage/collections.ts';
import { parseFilter, parseOptions } from '../../../lib/storage/filter-syntax.ts';
import { indexedFields } from '../../../lib/storage/indexed-fields.ts';
import type { CollectionSpec, Filter, FindOptions, Sort } from '../../../lib/storage/port.ts';
import { findSql } from '../../../lib/storage/sqlite/filter-sql.ts';
import { createSchema } from '../../../lib/storage/sqlite/schema.ts';

let db: DatabaseSync;
beforeAll(() => {
  db = new DatabaseSync(':memory:');
  createSchema(db, COLLECTIONS);
});
afterAll(() => db.close());

function plan(collection: string, filter: Filter, options: FindOptions): string {
  const spec = COLLECTIONS.find(({ name }) => name === collection) as CollectionSpec;
  const { text, params } = findSql(collection, parseFilter(filter), parseOptions(options), indexedFields(spec));
  const rows = db.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...params);
  return rows.map(({ detail }) => detail).join('; ');
}

const newest = (by: string): Sort => [
  [by, -1],
  ['_id', -1],
];
const next = (by: string): Filter => ({
  [by]: { $lte: 9 },
  $or: [{ [by]: { $lt: 9 } }, { [by]: 9, _id: { $lt: 'x' } }],
});
const unread = { status: { $in: ['sent', 'read'] } };

describe('the main lists are read from an index, in its order', () => {
  test.each<[string, Filter, Sort]>([
    ['users', {}, newest('createdAt')],
    ['connections', { userId: 'u' }, newest('createdAt')],
    ['connections', {}, newest('createdAt')],
    ['connections', { userId: 'u', status: 'open', deletedAt: null }, newest('createdAt')],
    ['connectionHistory', { connectionId: 'c' }, newest('at')],
    ['messages', { connectionId: 'c' }, newest('createdAt')],
    ['messages', { connectionId: 'c', ...unread }, newest('createdAt')],
    ['messages', { connectionId: 'c', chatId: 'x', direction: 'inbound' }, newest('createdAt')],
    ['messages', { userId: 'u' }, newest('createdAt')],
    ['messages', { userId: 'u', connectionId: 'c' }, newest('createdAt')],
    ['jobs', { userId: 'u' }, newest('createdAt')],
    ['webhooks', { userId: 'u' }, newest('createdAt')],
    ['deliveries', { webhookId: 'w', userId: 'u' }, newest('createdAt')],
    ['workers', { connectionId: 'c' }, newest('startedAt')],
  ])('%s %j', (collection, filter, sort) => {
    const by = sort[0]?.[0] as string;
    for (const page of [filter, { ...filter, ...next(by) }]) {
      const used = plan(collection, page, { sort, limit: 51 });
      expect(used).toMatch(/^(SEARCH|SCAN) \w+ USING INDEX/);
      expect(used).not.toContain('TEMP B-TREE');
      if (page !== filter) expect(used).toContain('SEARCH');
    }
  });

  test.each<[string, Filter, Sort]>([
    ['events', { userId: 'u', position: { $gt: 5 } }, [['position', 1]]],
    ['events', { connectionId: 'c', seq: { $gt: 5 } }, [['seq', 1]]],
    ['jobs', { connectionId: 'c', jobType: 'message.send', status: 'pending' }, [['outboxSeq', 1]]],
    ['jobs', { jobType: 'webhook.deliver', status: 'pending', runAt: { $lte: 5 } }, [['runAt', 1]]],
    ['deliveries', { webhookId: 'w', status: 'pending', nextAttemptAt: { $lte: 5 } }, [['nextAttemptAt', 1]]],
    ['sessionJournal', { connectionId: 'c', seq: { $gt: 5 } }, [['seq', 1]]],
  ])('%s %j in order', (collection, filter, sort) => {
    const used = plan(collection, filter, { sort, limit: 50 });
    expect(used).toMatch(/^SEARCH \w+ USING INDEX/);
    // a unique index gives the order by itself; only equal rows, of which there are none, would be sorted
    expect(used).not.toContain('TEMP B-TREE FOR ORDER BY');
  });
});

describe('what is looked up is found by an index', () => {
  test.each<[string, Filter]>([
    ['users', { username: 'x' }],
    ['apiKeys', { hash: 'x' }],
    ['apiKeys', { hash: 'x', revokedAt: null }],
    ['messages', { _id: 'x', statusRank: { $lt: 3 } }],
    ['messages', { _id: { $in: ['x', 'y', 'z'] } }],
    ['messages', { connectionId: 'c', waMessageId: 'w' }],
    ['messages', { connectionId: 'c', waMessageId: { $in: ['v', 'w'] } }],
    ['messages', { connectionId: 'c', chatId: 'x', waMessageId: 'w', senderId: 's' }],
    ['messages', { connectionId: 'c', cipherHash: 'h' }],
    ['jobs', { subjectId: 'm' }],
    ['jobs', { connectionId: 'c', jobType: 'message.send', status: { $in: ['pending', 'processing'] } }],
    ['connections', { desiredState: 'running' }],
    ['remoteAuths', { connectionId: 'c' }],
    ['sessions', { 'owner.nodeId': 'n' }],
    ['sessionKeys', { connectionId: 'c' }],
    ['webhooks', { enabled: true }],
    ['idempotency', { expiresAt: { $lt: 5 } }],
    ['events', { occurredAt: { $lt: 5 } }],
  ])('%s %j', (collection, filter) => {
    expect(plan(collection, filter, {})).toMatch(/^SEARCH \w+ USING (COVERING )?INDEX/);
  });
});
