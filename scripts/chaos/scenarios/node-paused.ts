import { setTimeout as delay } from 'node:timers/promises';
import { defineScenario } from '../scenario.ts';
import { underTraffic } from '../under-traffic.ts';
import { dropsSince, LONG, loginsSince, pickVictim, SHORT, toolShape } from './common.ts';

/** parts of the deadline of a lease: with the default one these are 4 s and 8 s */
const WITHIN = 4 / 7;
const BEYOND = 8 / 7;

export const nodePaused = defineScenario({
  name: 'node-paused',
  description: 'SIGSTOP for 4/7 of the lease deadline (nothing drops), then for 8/7 of it (fenced, reopened once)',
  covers: '5',
  short: SHORT,
  long: LONG,
  shape: toolShape,
  rules: () => [
    { figure: 'dropsWithin', atMost: 0, promise: 'fault 5' },
    { figure: 'mostReopens', atMost: 1, promise: 'fault 5' },
    { figure: 'fewestReopens', atLeast: 1, promise: 'fault 5' },
    { figure: 'conflicts', atMost: 0, promise: 'fault 5' },
  ],
  run(world, _, tools) {
    const { leaseDeadlineMs, lockTtlMs } = world.timings;
    return underTraffic(world, async (since) => {
      const { node, lines } = await pickVictim(world, tools);
      node.pause();
      await delay(leaseDeadlineMs * WITHIN);
      node.resume();
      await delay(leaseDeadlineMs);
      const dropsWithin = dropsSince(world, lines, since);

      const again = world.simulator.witness.now();
      node.pause();
      await delay(leaseDeadlineMs * BEYOND);
      node.resume();
      await delay(lockTtlMs);
      await world.untilOpen(lines);
      const reopens = loginsSince(world, lines, again);
      return { dropsWithin, mostReopens: Math.max(...reopens), fewestReopens: Math.min(...reopens) };
    });
  },
});
