import { setTimeout as delay } from 'node:timers/promises';
import { evaluateIn } from '../../harness/inspector.ts';
import { spread } from '../percentile.ts';
import { defineScenario, type Figures, type RunTools } from '../scenario.ts';
import { underTraffic } from '../under-traffic.ts';
import type { World } from '../world/world.ts';
import { LONG, nextLogins, pickVictim, SHORT, toolShape, type Victim } from './common.ts';

/** how long a zombie is watched after it woke up */
const WATCH_MS = 3_000;

const rules = () => [
  { figure: 'conflictsBeyondOneEach', atMost: 0, promise: 'P1' },
  { figure: 'zombieFrames', atMost: 0, promise: 'fault 6' },
];

/** Others take over what it ran while it does nothing; then it wakes up with everything that it believed. */
async function freeze(world: World, tools: RunTools, during: (victim: Victim) => Promise<void>): Promise<Figures> {
  return underTraffic(world, async (since) => {
    const victim = await pickVictim(world, tools);
    const begun = world.simulator.witness.now();
    const [takeover] = await Promise.all([nextLogins(world, victim.lines, begun), during(victim)]);
    await delay(WATCH_MS);
    const replaced = world.simulator.witness.sockets.replacements().filter(({ at }) => at >= since);
    return {
      ...spread('takeover', takeover),
      conflictsBeyondOneEach: Math.max(0, replaced.length - victim.lines.length),
    };
  });
}

export const nodeFrozen = defineScenario({
  name: 'node-frozen',
  description: 'SIGSTOP until long after others took over, then SIGCONT: the zombie writes no frame and no document',
  covers: '6, P1, P2',
  short: { ...SHORT, pauseMs: 9_000 },
  long: { ...LONG, connections: 40, pauseMs: 60_000 },
  shape: toolShape,
  rules,
  run: (world, { pauseMs }, tools) =>
    freeze(world, tools, async ({ node }) => {
      node.pause();
      await delay(pauseMs);
      node.resume();
    }),
});

export const eventLoopBlocked = defineScenario({
  name: 'event-loop-blocked',
  description:
    'the event loop of a session-node is busy with a loop of its own: the kernel answers for it, nothing else does',
  covers: '7, P1, P2',
  short: { ...SHORT, blockedMs: 9_000 },
  long: { ...LONG, blockedMs: 20_000 },
  shape: toolShape,
  rules,
  run: (world, { blockedMs }, tools) =>
    freeze(world, tools, async ({ node }) => {
      await evaluateIn(
        node.output(),
        `{ const end = performance.now() + ${blockedMs}; while (performance.now() < end); }`,
      );
    }),
});
