import { setTimeout as delay } from 'node:timers/promises';
import { type Flows, HOLD } from '../../harness/faulty-proxy.ts';
import { spread } from '../percentile.ts';
import { defineScenario, type Figures, type RunTools } from '../scenario.ts';
import { underTraffic } from '../under-traffic.ts';
import type { Links } from '../world/links.ts';
import type { World } from '../world/world.ts';
import { endsSince, LONG, nextLogins, pickVictim, SHORT, toolShape } from './common.ts';

/** a deadline is looked at by a timer of a busy process */
const TIMER_SLACK_MS = 1_000;

const rules = () => [
  { figure: 'conflicts', atMost: 0, promise: 'P1' },
  { figure: 'closedLateMs', atMost: 0, promise: 'faults 18, 20' },
];

/** Both guards lose sight of it: it ends its sockets by the deadline of its own accord, and only then others claim. */
async function cutOff(world: World, tools: RunTools, cut: (links: Links) => void, cutMs: number): Promise<Figures> {
  const { node, lines } = await pickVictim(world, tools);
  const since = world.simulator.witness.now();
  cut(world.links.of(node.nodeId));
  const [takeover] = await Promise.all([nextLogins(world, lines, since), delay(cutMs)]);
  const closed = endsSince(world, lines, since);
  world.links.heal();
  const allowedMs = world.timings.leaseDeadlineMs + TIMER_SLACK_MS;
  const closedLateMs = Math.max(0, Math.round(Math.max(0, ...closed) - allowedMs));
  return { ...spread('closed', closed), closedLateMs, ...spread('takeover', takeover) };
}

const BOTH: Flows = { toServer: HOLD, toClient: HOLD };

export const nodeCutOff = defineScenario({
  name: 'node-cut-off',
  description: 'a session-node loses MongoDB and Redis but not WhatsApp: it stops by the deadline, others take over',
  covers: '18, P1, P2',
  short: { ...SHORT, cutMs: 8_000 },
  long: { ...LONG, cutMs: 40_000 },
  shape: toolShape,
  rules,
  run: (world, { cutMs }, tools) =>
    underTraffic(world, () =>
      cutOff(
        world,
        tools,
        ({ mongo, redis }) => {
          mongo.set(BOTH);
          redis.set(BOTH);
        },
        cutMs,
      ),
    ),
});

/** What is asked arrives late, or the answers do: renewals, heartbeats and journal entries of a dead activation. */
export const halfCutOff = defineScenario({
  name: 'half-cut-off',
  description: 'a session-node is cut off in one direction only, first that of its questions, then that of the answers',
  covers: '20, P1, P2',
  short: { ...SHORT, cutMs: 7_000 },
  long: { ...LONG, cutMs: 30_000 },
  shape: toolShape,
  rules,
  run: (world, { cutMs }, tools) =>
    underTraffic(world, async () => {
      let worst: Figures = {};
      for (const flows of [{ toServer: HOLD }, { toClient: HOLD }]) {
        tools.log(`held: ${Object.keys(flows)}`);
        const cut = ({ mongo, redis }: Links) => {
          mongo.set(flows);
          redis.set(flows);
        };
        worst = worstOf(worst, await cutOff(world, tools, cut, cutMs));
        await world.recover();
      }
      return worst;
    }),
});

const worstOf = (one: Figures, other: Figures): Figures =>
  Object.fromEntries(Object.entries(other).map(([name, value]) => [name, Math.max(value, one[name] ?? 0)]));
