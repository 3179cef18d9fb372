import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createRedisTurns } from '../../../lib/cluster/redis-turns.ts';
import { newId } from '../../../lib/ids.ts';
import type { AppendTurns } from '../../../lib/storage/append-turns.port.ts';
import { type RunningServer, startRedis } from '../../../scripts/servers/index.ts';
import { eventually } from '../../helpers/eventually.ts';

const PATIENCE_MS = 400;

describe('turns by Redis', () => {
  let server: RunningServer;
  let redis: Redis;
  let prefix = '';
  let open: AppendTurns[] = [];

  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
  });

  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  beforeEach(() => {
    prefix = `{${newId('event')}}:`;
  });

  afterEach(() => {
    for (const turns of open) turns.close();
    open = [];
  });

  const key = () => `${prefix}turn:append`;

  /** A process that has its connection: without one it gets no turn at all. */
  async function member(patienceMs = PATIENCE_MS): Promise<AppendTurns> {
    const turns = createRedisTurns({ url: server.url, prefix, patienceMs });
    open.push(turns);
    await redis.rpush(key(), '1');
    await eventually(async () => {
      const turn = await turns.take();
      expect(turn.mine).toBe(true);
      turn.over();
    });
    return turns;
  }

  it('goes round in the order in which they came, one at a time', async () => {
    const holder = await member(10_000);
    const members = [await member(10_000), await member(10_000), await member(10_000)];
    await redis.ltrim(key(), 0, 0);
    const told: string[] = [];
    let inside = 0;
    let most = 0;
    const first = await holder.take();
    async function append(name: string, turns: AppendTurns | undefined): Promise<void> {
      const turn = await turns?.take();
      most = Math.max(most, ++inside);
      told.push(name);
      await delay(2);
      inside -= 1;
      turn?.over();
    }
    const waiting: Promise<void>[] = [];
    for (const n of [2, 1, 0]) {
      const blocked = await blockedClients();
      waiting.push(append(`m${n}`, members[n]));
      await eventually(async () => expect(await blockedClients()).toBe(blocked + 1));
    }
    first.over();
    await Promise.all(waiting);
    expect(told).toEqual(['m2', 'm1', 'm0']);
    expect(most).toBe(1);
    await eventually(async () => expect(await redis.llen(key())).toBe(1));
  });

  async function blockedClients(): Promise<number> {
    return Number(/blocked_clients:(\d+)/.exec(await redis.info('clients'))?.[1]);
  }

  it('is not lost with a holder that never comes back: the next one waits once, then goes, and makes it anew', async () => {
    const [gone, next] = [await member(), await member()];
    await redis.ltrim(key(), 0, 0);
    expect((await gone.take()).mine).toBe(true);
    gone.close();
    const without = await next.take();
    expect(without.mine).toBe(false);
    without.over();
    await eventually(async () => expect((await next.take()).mine).toBe(true));
  });

  it('stays one when a late holder gives it back as well', async () => {
    const [late, next] = [await member(), await member()];
    await redis.ltrim(key(), 0, 0);
    const held = await late.take();
    const without = await next.take();
    expect([held.mine, without.mine]).toEqual([true, false]);
    without.over();
    await eventually(async () => expect(await redis.llen(key())).toBe(1));
    held.over();
    /* behind it on the same connection: whoever takes the one token leaves none */
    expect((await late.take()).mine).toBe(true);
    expect(await redis.llen(key())).toBe(0);
  });

  it('goes back when it comes to somebody who has stopped waiting', async () => {
    const turns = await member(50);
    await redis.del(key());
    await redis.call('CLIENT', 'PAUSE', '600', 'ALL');
    const without = await turns.take();
    expect(without.mine).toBe(false);
    await redis.rpush(key(), '1');
    await eventually(async () => expect(await redis.llen(key())).toBe(1));
  });

  it('makes one wait while Redis holds its connections and says nothing, and nobody after that', async () => {
    const turns = await member(50);
    server.process?.pause();
    try {
      expect((await turns.take()).mine).toBe(false);
      const began = performance.now();
      for (let n = 0; n < 20; n += 1) expect((await turns.take()).mine).toBe(false);
      expect(performance.now() - began).toBeLessThan(250);
    } finally {
      server.process?.resume();
    }
    await redis.rpush(key(), '1');
    await eventually(async () => expect((await turns.take()).mine).toBe(true));
  });

  it('keeps nobody waiting while Redis cannot be reached', async () => {
    const turns = createRedisTurns({ url: 'redis://127.0.0.1:1' });
    open.push(turns);
    const began = performance.now();
    expect((await turns.take()).mine).toBe(false);
    expect(performance.now() - began).toBeLessThan(PATIENCE_MS);
  });
});
