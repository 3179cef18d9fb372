import { setTimeout as delay } from 'node:timers/promises';
import { winner } from '../../../lib/cluster/rendezvous.ts';
import { defineScenario, type Figures, type Rule, type RunTools } from '../scenario.ts';
import { underTraffic } from '../under-traffic.ts';
import type { World } from '../world/world.ts';
import { LONG, plainShape, SHORT, SHORT_OF_THREE, type Size } from './common.ts';

/** what is promised is of 40 busy sessions; a thousand take the time that the machine needs, which is a figure of its own */
const BUSY = 60;
const BALANCED_WITHIN_MS = 60_000;
const GAP_P99_MS = 2_000;
/** below that, chance alone spreads a ring's shares too widely for a bound on the share */
const ENOUGH_FOR_SHARES = 200;
/** traffic on its way before the node comes */
const WARM_UP_MS = 2_000;

const rules = ({ connections }: Size): Rule[] => [
  { figure: 'movedBesideRing', atMost: 0, promise: 'P11' },
  ...(connections <= BUSY
    ? [
        { figure: 'balancedMs', atMost: BALANCED_WITHIN_MS, promise: 'P11' },
        { figure: 'gapP99Ms', atMost: GAP_P99_MS, promise: 'P11' },
      ]
    : []),
  { figure: 'conflicts', atMost: 0, promise: 'P11' },
  { figure: 'repeatedIds', atMost: 0, promise: 'P11' },
  ...(connections >= ENOUGH_FOR_SHARES ? [{ figure: 'movedOfShare', atMost: 1.2, promise: 'P11' }] : []),
];

/** One node more under traffic. Taking it away again is a drain, which `rolling-restart` is about. */
async function grow(world: World, { log }: RunTools): Promise<Figures> {
  await delay(WARM_UP_MS);
  const before = await world.placement();
  const began = performance.now();
  const added = await world.cluster.add('session-node');
  await world.untilBalanced();
  const balancedMs = Math.round(performance.now() - began);
  const after = await world.placement();
  const ring = world.nodes().map(({ nodeId }) => ({ nodeId, capacity: 1 }));
  const moved = [...before].filter(([id, nodeId]) => after.get(id) !== nodeId);
  const meant = [...before.keys()].filter((id) => winner(id, ring)?.nodeId === added.nodeId);
  log(`${added.nodeId} has ${meant.length} of ${before.size} after ${balancedMs} ms`);
  const share = before.size / ring.length;
  return {
    moved: moved.length,
    movedOfShare: Math.round((moved.length / share) * 100) / 100,
    movedBesideRing: moved.filter(([id]) => !meant.includes(id)).length,
    balancedMs,
  };
}

type ScaleSize = Size & { perSecond: number };

const scenario = (name: string, covers: string, short: ScaleSize, long: ScaleSize) =>
  defineScenario({
    name,
    description: 'a session-node is added under traffic: it gets its share of the ring and nothing else moves',
    covers,
    short,
    long,
    shape: plainShape,
    rules,
    async run(world, { perSecond }, tools) {
      const figures = await underTraffic(world, () => grow(world, tools), { perSecond, recover: false });
      await world.recover();
      return figures;
    },
  });

export const scaleOut = scenario(
  'scale-out',
  '21, P11',
  { ...SHORT_OF_THREE, perSecond: 1 },
  { ...LONG, nodes: 3, connections: 1_000, perSecond: 1 },
);

export const scaleFromOne = scenario(
  'scale-from-one',
  'P11',
  { ...SHORT, nodes: 1, connections: 8, perSecond: 1 },
  { ...LONG, nodes: 1, connections: 40, perSecond: 3 },
);
