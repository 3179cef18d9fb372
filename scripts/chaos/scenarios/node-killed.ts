import { setTimeout as delay } from 'node:timers/promises';
import { spread } from '../percentile.ts';
import { defineScenario, type RunTools } from '../scenario.ts';
import { underTraffic } from '../under-traffic.ts';
import type { World } from '../world/world.ts';
import { closedLines, LONG, nextLogins, pickVictim, SHORT, toolShape } from './common.ts';

/** until the witness has heard of a killed process's sockets */
const HEARD_MS = 100;

/** kill -9 finds every moment between decrypting and storing, claiming and sending, wire and ack: by rounds, not by hooks. */
export const nodeKilled = defineScenario({
  name: 'node-killed',
  description: 'kill -9 of a session-node, first an idle one, then a random one again and again under traffic',
  covers: '1, 2, 3, 4, P4, P6, P7, P8',
  short: { ...SHORT, rounds: 4, everyMs: 2_000, perSecond: 1 },
  long: { ...LONG, rounds: 300, everyMs: 2_000, perSecond: 3 },
  shape: toolShape,
  async run(world, { rounds, everyMs, perSecond }, tools) {
    const idle = await killIdle(world, tools);
    const figures = await underTraffic(
      world,
      async () => {
        const reopen: number[] = [];
        for (let round = 1; round <= rounds; round++) {
          const next = performance.now() + everyMs;
          await delay(tools.random.between(0, everyMs / 2));
          await killOne(world, tools, reopen);
          await delay(Math.max(0, next - performance.now()));
        }
        return { kills: rounds, ...spread('reopen', reopen) };
      },
      { perSecond },
    );
    return { ...figures, ...idle };
  },
});

async function killIdle(world: World, tools: RunTools) {
  const { node, lines } = await pickVictim(world, tools);
  const since = world.simulator.witness.now();
  await node.kill();
  await node.start();
  return spread('idleReopen', await nextLogins(world, lines, since));
}

/** Its sessions may reopen there or elsewhere while the next one is killed already: what reopened is asked later. */
async function killOne(world: World, { random, log }: RunTools, reopen: number[]): Promise<void> {
  const node = random.pick(world.nodes().filter(({ state }) => state === 'running'));
  const since = world.simulator.witness.now();
  await node.kill();
  await delay(HEARD_MS);
  const lines = closedLines(world);
  log(`killed ${node.nodeId}: ${lines.length} connections have no socket`);
  void nextLogins(world, lines, since)
    .then((ms) => reopen.push(...ms))
    .catch(() => undefined);
  await node.start();
}
