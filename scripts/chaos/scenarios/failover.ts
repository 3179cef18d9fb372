import { spread } from '../percentile.ts';
import { defineScenario, type Figures, type RunTools } from '../scenario.ts';
import type { Line } from '../traffic.ts';
import { underTraffic } from '../under-traffic.ts';
import { gapsOf } from '../world/sockets.ts';
import type { World } from '../world/world.ts';
import { LONG, nextLogins, pickVictim, SHORT_BY_DEFAULT_TIMES, toolShape, type Victim } from './common.ts';

type Way = (world: World, victim: Victim, since: number) => Promise<number[]>;

/** From the kill to the login on another node. */
const killed: Way = async (world, { node, lines }, since) => {
  await node.kill();
  return nextLogins(world, lines, since);
};

/** From the kill to the login in the new process, which an orchestrator starts at once. */
const restarted: Way = async (world, { node, lines }, since) => {
  await node.kill();
  await node.start();
  return nextLogins(world, lines, since);
};

/** How long each connection was away while its node handed it over. */
const drained: Way = async (world, { node, lines }, since) => {
  await node.stop();
  await nextLogins(world, lines, since);
  return gapsSince(world, lines, since);
};

function gapsSince({ simulator }: World, lines: readonly Line[], since: number): number[] {
  return lines.flatMap(({ phone }) => gapsOf(simulator, phone.pn, since));
}

async function measure(world: World, way: Way, rounds: number, tools: RunTools) {
  const samples: number[] = [];
  let conflicts = 0;
  for (let round = 0; round < rounds; round++) {
    const since = world.simulator.witness.now();
    samples.push(...(await way(world, await pickVictim(world, tools), since)));
    conflicts += world.simulator.witness.sockets.replacements().filter(({ at }) => at >= since).length;
    await world.recover();
  }
  return { samples, conflicts };
}

export const failover = defineScenario({
  name: 'failover',
  description: 'with default timings: kill -9 until open elsewhere, restart in place, SIGTERM',
  covers: 'P10',
  short: { ...SHORT_BY_DEFAULT_TIMES, rounds: 1, perSecond: 1 },
  long: { ...LONG, connections: 40, rounds: 3, perSecond: 2 },
  shape: toolShape,
  rules: () => [
    { figure: 'killP99Ms', atMost: 13_000, promise: 'P10' },
    { figure: 'restartP99Ms', atMost: 4_000, promise: 'P10' },
    { figure: 'drainP99Ms', atMost: 2_000, promise: 'P10' },
    { figure: 'conflicts', atMost: 0, promise: 'P10' },
  ],
  run: (world, { rounds, perSecond }, tools): Promise<Figures> =>
    underTraffic(
      world,
      async () => {
        const kill = await measure(world, killed, rounds, tools);
        const restart = await measure(world, restarted, rounds, tools);
        const drain = await measure(world, drained, rounds, tools);
        return {
          ...spread('kill', kill.samples),
          ...spread('restart', restart.samples),
          ...spread('drain', drain.samples),
          samples: Math.min(kill.samples.length, restart.samples.length, drain.samples.length),
        };
      },
      { perSecond },
    ),
});
