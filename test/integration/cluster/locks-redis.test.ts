import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Locks } from '../../../lib/cluster/locks.port.ts';
import { openRedisLocks } from '../../../lib/cluster/redis-locks.ts';
import { silentLog } from '../../../lib/log.ts';
import { type RunningServer, startRedis } from '../../../scripts/servers/index.ts';
import { eventually } from '../../helpers/eventually.ts';
import { rejection } from '../storage/conformance-kit.ts';
import { locksConformance } from './locks-conformance.ts';

const TTL_MS = 10_000;
const A = 'node-a:01';
const B = 'node-b:02';
const STRANGE = `k' .. "\n] {x}`;

let server: RunningServer;
/** one that can be killed and flushed, also where REDIS_URL names somebody else's */
let own: RunningServer;
beforeAll(async () => {
  server = await startRedis();
  own = server.process ? server : await startRedis({ ...process.env, REDIS_URL: '' });
});
afterAll(async () => {
  await server.stop();
  await own.stop();
});

locksConformance('Redis', async () => {
  const locks = await openRedisLocks({ url: server.url, prefix: `{test:${randomUUID()}}:` });
  return { locks, pass: (ms) => delay(ms), dispose: () => locks.close() };
});

describe('Redis locks', () => {
  const opened: Locks[] = [];
  async function open(): Promise<Locks> {
    const locks = await openRedisLocks({ url: own.url });
    opened.push(locks);
    return locks;
  }
  afterEach(async () => {
    for (const locks of opened.splice(0)) await locks.close();
    own.process?.resume();
    const redis = new Redis(own.url);
    await redis.flushall();
    redis.disconnect();
  });

  test('two nodes see the same locks and the same generation', async () => {
    const [one, other] = [await open(), await open()];
    expect(await one.claim(STRANGE, A, TTL_MS)).toEqual({ mine: true, holder: A });
    expect(await other.claim(STRANGE, B, TTL_MS)).toEqual({ mine: false, holder: A });
    expect(await other.holderOf(STRANGE)).toBe(A);
    expect(await other.generation()).toBe(await one.generation());
  });

  test('50 nodes that ask for the generation at once learn the same one', async () => {
    const locks = await open();
    const seen = await Promise.all(Array.from({ length: 50 }, () => locks.generation()));
    expect(new Set(seen).size).toBe(1);
  });

  test('after a flush the locks are missing, the generation is another one, and no claim over an owner succeeds', async () => {
    const locks = await open();
    const seen = await locks.generation();
    await locks.claim('k', A, TTL_MS);
    const redis = new Redis(own.url);
    await redis.flushall();
    redis.disconnect();
    expect(await locks.claimInGeneration('k', B, TTL_MS, seen)).toEqual({ mine: false, holder: null, forgotten: true });
    expect(await locks.renew(['k'], A, TTL_MS)).toEqual(['missing']);
    expect(await locks.generation()).not.toBe(seen);
    expect(await locks.claimInGeneration('k', B, TTL_MS, seen)).toMatchObject({ mine: false, forgotten: true });
    expect(await locks.claimInGeneration('k', B, TTL_MS, await locks.generation())).toMatchObject({ mine: true });
  });

  test('2,500 locks are renewed in their order, over several scripts', async () => {
    const locks = await open();
    const keys = Array.from({ length: 2_500 }, (_, n) => `key-${n}`);
    await Promise.all(keys.map((key, n) => (n % 3 === 2 ? null : locks.claim(key, n % 3 ? B : A, TTL_MS))));
    const expected = keys.map((_key, n) => ['renewed', 'lost', 'missing'][n % 3]);
    expect(await locks.renew(keys, A, TTL_MS)).toEqual(expected);
  });

  test('what Redis does not answer is STORE_UNAVAILABLE after 2 s, and is not sent again', async () => {
    const locks = await open();
    await locks.claim('k', A, TTL_MS);
    own.process?.pause();
    const startedAt = performance.now();
    const calls = [
      locks.claim('late', A, TTL_MS),
      locks.renew(['k'], A, TTL_MS),
      locks.holderOf('k'),
      locks.release('k', A),
    ];
    expect(await Promise.all(calls.map(rejection))).toEqual(calls.map(() => 'STORE_UNAVAILABLE'));
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    own.process?.resume();
    await eventually(() => locks.holderOf('k'));
  });

  test('a Redis that is gone is STORE_UNAVAILABLE at once; nothing waits for it and takes a lock later', async () => {
    const locks = await open();
    const seen = await locks.generation();
    await locks.claim('k', A, TTL_MS);
    await own.process?.kill();
    await eventually(async () => expect(await rejection(locks.holderOf('k'))).toBe('STORE_UNAVAILABLE'));
    const startedAt = performance.now();
    const claims = Array.from({ length: 20 }, (_, n) => rejection(locks.claim(`queued-${n}`, A, TTL_MS)));
    expect(new Set(await Promise.all(claims))).toEqual(new Set(['STORE_UNAVAILABLE']));
    expect(performance.now() - startedAt).toBeLessThan(1_000);

    await own.process?.start();
    const generation = await eventually(() => locks.generation());
    expect(generation).not.toBe(seen);
    expect(await locks.renew(['k', 'queued-0', 'queued-19'], A, TTL_MS)).toEqual(['missing', 'missing', 'missing']);
    expect(await locks.claim('k', B, TTL_MS)).toEqual({ mine: true, holder: B });
  });

  test('a Redis that is not there refuses the start, and names no password', async () => {
    const nowhere = openRedisLocks({ url: 'redis://user:secret-word@127.0.0.1:1' });
    const error: unknown = await nowhere.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ type: 'STORE_UNAVAILABLE' });
    expect(String(error)).not.toContain('secret-word');
  });

  test('a master that would go on without its replicas is warned of at the start', async () => {
    const replica = await startRedis({});
    const client = new Redis(replica.url);
    const master = new Redis(own.url);
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (_fields: object, message: string) => void warnings.push(message) };
    const openLogged = async () => opened.push(await openRedisLocks({ url: own.url, log }));
    try {
      const { hostname, port } = new URL(own.url);
      await client.replicaof(hostname, port);
      await eventually(async () => expect(await master.info('replication')).toContain('connected_slaves:1'));
      await openLogged();
      expect(warnings).toHaveLength(1);
      await master.config('SET', 'min-replicas-to-write', '1');
      await master.config('SET', 'min-replicas-max-lag', '2');
      await openLogged();
      expect(warnings).toHaveLength(1);
    } finally {
      await master.config('SET', 'min-replicas-to-write', '0');
      client.disconnect();
      master.disconnect();
      await replica.stop();
    }
  });
});
