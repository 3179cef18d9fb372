import { setTimeout as delay } from 'node:timers/promises';
import { spread } from '../percentile.ts';
import { defineScenario } from '../scenario.ts';
import { underTraffic } from '../under-traffic.ts';
import type { World } from '../world/world.ts';
import { dropsSince, endsSince, LONG, SHORT, toolShape } from './common.ts';

export const mongoAwayBriefly = defineScenario({
  name: 'mongo-away-briefly',
  description: 'MongoDB is killed and is back after 5 s: no socket drops, all that was asked happens',
  covers: '15',
  short: { ...SHORT, awayMs: 5_000 },
  long: { ...LONG, awayMs: 5_000 },
  shape: toolShape,
  rules: () => [{ figure: 'drops', atMost: 0, promise: 'fault 15' }],
  run: (world, { awayMs }) =>
    underTraffic(world, async (since) => {
      await delay(1_000);
      await withoutMongo(world, () => delay(awayMs));
      await delay(awayMs);
      return { drops: dropsSince(world, world.lines, since) };
    }),
});

/** a socket whose journal cannot be written is closed after 30 s */
const CLOSED_AFTER_MS = 30_000;
const ANSWER_PATIENCE_MS = 10_000;

export const mongoAway = defineScenario({
  name: 'mongo-away',
  description: 'MongoDB is away for long: 503 with Retry-After, sockets close after 30 s and reopen by themselves',
  covers: '16',
  short: { ...SHORT, awayMs: 40_000 },
  long: { ...LONG, awayMs: 60_000 },
  shape: toolShape,
  rules: () => [
    { figure: 'refusedWith503', atLeast: 1, promise: 'fault 16' },
    { figure: 'refusedOtherwise', atMost: 0, promise: 'fault 16' },
    { figure: 'stillOpen', atMost: 0, promise: 'fault 16' },
    { figure: 'closedP99Ms', atMost: CLOSED_AFTER_MS + 10_000, promise: 'fault 16' },
  ],
  run: (world, { awayMs }) =>
    underTraffic(world, async () => {
      await delay(1_000);
      const since = world.simulator.witness.now();
      let answers = { refusedWith503: 0, refusedOtherwise: 0 };
      await withoutMongo(world, async () => {
        const until = performance.now() + awayMs;
        answers = await askFor(world, until);
      });
      const closed = endsSince(world, world.lines, since);
      const reopened = performance.now();
      const stillOpen = world.lines.length - closed.length;
      await world.untilOpen();
      return { ...answers, stillOpen, ...spread('closed', closed), reopenMs: Math.round(performance.now() - reopened) };
    }),
});

async function withoutMongo(world: World, meanwhile: () => Promise<void>): Promise<void> {
  const mongo = world.cluster.find('mongo');
  await mongo.kill();
  await meanwhile();
  await mongo.start();
}

async function askFor({ api }: World, until: number) {
  const answers = { refusedWith503: 0, refusedOtherwise: 0 };
  while (performance.now() < until) {
    const signal = AbortSignal.timeout(ANSWER_PATIENCE_MS);
    const answer = await api.call('GET', '/connection/list', undefined, {}, signal).catch(() => null);
    if (answer?.status === 503 && answer.headers.get('retry-after') !== null) answers.refusedWith503 += 1;
    else answers.refusedOtherwise += 1;
    await delay(1_000);
  }
  return answers;
}
