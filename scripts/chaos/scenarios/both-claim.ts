import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { spread } from '../percentile.ts';
import { defineScenario } from '../scenario.ts';
import { underTraffic } from '../under-traffic.ts';
import type { World } from '../world/world.ts';
import { LONG, nextLogins, SHORT, toolShape } from './common.ts';

/** How the sessions come to be wanted by several at once; the odd rounds leave those that begin no seat to return to. */
export const bothClaim = defineScenario({
  name: 'both-claim',
  description: 'all session-nodes die at once; their successors begin at the same moment and want the same sessions',
  covers: '13, P1',
  short: { ...SHORT, rounds: 2 },
  long: { ...LONG, rounds: 20 },
  shape: toolShape,
  rules: () => [{ figure: 'conflicts', atMost: 0, promise: 'P1' }],
  run(world, { rounds }, { log }) {
    return underTraffic(world, async () => {
      const reopen: number[] = [];
      for (let round = 1; round <= rounds; round++) {
        await world.untilOpen();
        const since = world.simulator.witness.now();
        await Promise.all(world.nodes().map((node) => node.kill()));
        if (round % 2 === 1) await beginAnew(world);
        else await beginElsewhere(world);
        reopen.push(...(await nextLogins(world, world.lines, since)));
        log(`round ${round}: all open again after ${Math.round(Math.max(...reopen))} ms at most`);
      }
      return { rounds, ...spread('reopen', reopen) };
    });
  },
});

/** Under the same names, while Redis forgets. */
async function beginAnew(world: World): Promise<void> {
  const stopped = world.cluster.members.filter(({ role, state }) => role === 'session-node' && state === 'stopped');
  const redis = new Redis(world.cluster.redisUrl);
  try {
    const names = new Set(Array.from({ length: world.shape.sessionNodes }, (_, n) => `session-node-${n + 1}`));
    await Promise.all([
      ...stopped.filter(({ nodeId }) => names.has(nodeId)).map((node) => node.start()),
      delay(500).then(() => redis.flushall()),
    ]);
  } finally {
    redis.disconnect();
  }
}

/** Under new names: nobody is to return, so all of them wait for the same silence to end. */
async function beginElsewhere(world: World): Promise<void> {
  await Promise.all(Array.from({ length: world.shape.sessionNodes }, () => world.cluster.add('session-node')));
}
