import { setTimeout as delay } from 'node:timers/promises';
import { defineScenario } from '../scenario.ts';
import { underTraffic } from '../under-traffic.ts';
import { dropsSince, LONG, SHORT_BY_DEFAULT_TIMES, toolShape } from './common.ts';

export const mongoSlow = defineScenario({
  name: 'mongo-slow',
  description: 'every answer of MongoDB takes 2 s longer: sends and receipts wait, nothing is lost or done twice',
  covers: '17, P1',
  short: { ...SHORT_BY_DEFAULT_TIMES, delayMs: 2_000, forMs: 15_000, perSecond: 1 },
  long: { ...LONG, delayMs: 2_000, forMs: 120_000, perSecond: 1 },
  shape: toolShape,
  rules: () => [{ figure: 'drops', atMost: 0, promise: 'fault 17' }],
  run: (world, { delayMs, forMs, perSecond }) =>
    underTraffic(
      world,
      async (since) => {
        const half = { kind: 'delay', ms: delayMs / 2 } as const;
        for (const { nodeId } of world.nodes()) world.links.of(nodeId).mongo.set({ toServer: half, toClient: half });
        await delay(forMs);
        world.links.heal();
        return { drops: dropsSince(world, world.lines, since) };
      },
      { perSecond },
    ),
});
