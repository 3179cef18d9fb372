import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { defineScenario, type Figures } from '../scenario.ts';
import { underTraffic } from '../under-traffic.ts';
import type { World } from '../world/world.ts';
import { dropsSince, LONG, loginsSince, SHORT, toolShape } from './common.ts';

const rules = () => [
  { figure: 'drops', atMost: 0, promise: 'faults 10-12' },
  { figure: 'claims', atMost: 0, promise: 'faults 10-12' },
];

/** Nobody's session ends because Redis is away or forgot: the heartbeats prove as much as the locks. */
async function through(world: World, trouble: () => Promise<void>): Promise<Figures> {
  return underTraffic(world, async (since) => {
    await trouble();
    await delay(world.timings.lockTtlMs);
    const logins = loginsSince(world, world.lines, since);
    return { drops: dropsSince(world, world.lines, since), claims: logins.reduce((sum, count) => sum + count, 0) };
  });
}

export const redisDown = defineScenario({
  name: 'redis-down',
  description: 'Redis is away for longer than its locks live: no socket drops, nobody claims',
  covers: '10',
  short: { ...SHORT, awayMs: 8_000 },
  long: { ...LONG, awayMs: 60_000 },
  shape: toolShape,
  rules,
  run: (world, { awayMs }) =>
    through(world, async () => {
      const redis = world.cluster.find('redis');
      redis.pause();
      await delay(awayMs / 2);
      await redis.kill();
      await delay(awayMs / 2);
      await redis.start();
    }),
});

export const redisFlushed = defineScenario({
  name: 'redis-flushed',
  description: 'FLUSHALL in full traffic, again and again',
  covers: '11, P1',
  short: { ...SHORT, rounds: 3, everyMs: 1_500 },
  long: { ...LONG, rounds: 30, everyMs: 3_000 },
  shape: toolShape,
  rules,
  run: (world, { rounds, everyMs }) =>
    through(world, async () => {
      const redis = new Redis(world.cluster.redisUrl);
      try {
        for (let round = 0; round < rounds; round++) {
          await delay(everyMs);
          await redis.flushall();
        }
      } finally {
        redis.disconnect();
      }
    }),
});

export const redisForgot = defineScenario({
  name: 'redis-forgot',
  description: 'Redis is killed and comes back at once without its data',
  covers: '12, P1',
  short: { ...SHORT, rounds: 2, everyMs: 2_000 },
  long: { ...LONG, rounds: 15, everyMs: 5_000 },
  shape: toolShape,
  rules,
  run: (world, { rounds, everyMs }) =>
    through(world, async () => {
      const redis = world.cluster.find('redis');
      for (let round = 0; round < rounds; round++) {
        await delay(everyMs);
        await redis.kill();
        await redis.start();
      }
    }),
});
