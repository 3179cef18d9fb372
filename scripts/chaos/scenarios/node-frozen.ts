import { setTimeout as delay } from 'node:timers/promises';
import { evaluateIn } from '../../harness/inspector.ts';
import { spread } from '../percentile.ts';
import { defineScenario, type Figures, type RunTools } from '../scenario.ts';
import { underTraffic } from '../under-traffic.ts';
import type { World } from '../world/world.ts';
import { dropsSince, LONG, nextLogins, pickVictim, SHORT, toolShape, type Victim } from './common.ts';

/** how long a zombie is watched after it woke up */
const WATCH_MS = 3_000;
/** from the first cut on, for so long a release may be under way: written, or not yet */
const HAND_OVER_MS = 15;
const PATIENCE_MS = 30_000;
const RETRY_MS = 100;

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

/** Of a node that has just woken up nobody may know yet. @throws when it is not done within half a minute */
async function setDraining({ api }: World, nodeId: string, draining: boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await api.call('POST', `/cluster/nodes/${nodeId}/drain`, { draining });
    if (answer.status === 200) return;
    if (performance.now() > deadline) throw new Error(`${nodeId} is not to be asked: ${answer.status}`);
    await delay(RETRY_MS);
  }
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

export const releaseFrozen = defineScenario({
  name: 'release-frozen',
  description:
    'SIGSTOP in the middle of handing everything over, SIGCONT long after others took over: what it released late is void',
  covers: '14, P1, P2',
  short: { ...SHORT, pauseMs: 9_000 },
  long: { ...LONG, connections: 40, pauseMs: 30_000 },
  shape: toolShape,
  rules,
  run: (world, { pauseMs }, tools) =>
    freeze(world, tools, async ({ node, lines }) => {
      const begun = world.simulator.witness.now();
      await setDraining(world, node.nodeId, true);
      for (const from = performance.now(); dropsSince(world, lines, begun) === 0; ) {
        if (performance.now() - from > PATIENCE_MS) throw new Error(`${node.nodeId} hands nothing over`);
        await delay(1);
      }
      await delay(tools.random.between(0, HAND_OVER_MS));
      node.pause();
      await delay(pauseMs);
      node.resume();
      await setDraining(world, node.nodeId, false);
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
