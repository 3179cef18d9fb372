import { spread } from '../percentile.ts';
import { defineScenario } from '../scenario.ts';
import { underTraffic } from '../under-traffic.ts';
import { LONG, plainShape, SHORT_OF_THREE } from './common.ts';

export const rollingRestart = defineScenario({
  name: 'rolling-restart',
  description: 'SIGTERM of one session-node after the other, each started anew, under traffic',
  covers: '22, P4, P6',
  short: { ...SHORT_OF_THREE, perSecond: 1 },
  long: { ...LONG, nodes: 3, connections: 60, perSecond: 3 },
  shape: plainShape,
  rules: () => [
    { figure: 'conflicts', atMost: 0, promise: 'fault 22' },
    { figure: 'repeatedIds', atMost: 0, promise: 'fault 22' },
    { figure: 'gapP99Ms', atMost: 2_000, promise: 'P10' },
  ],
  run: (world, { perSecond }, { log }) =>
    underTraffic(
      world,
      async () => {
        const stops: number[] = [];
        for (const node of world.nodes()) {
          const began = performance.now();
          await node.stop();
          stops.push(performance.now() - began);
          log(`${node.nodeId} has ended after ${Math.round(stops.at(-1) ?? 0)} ms`);
          await node.start();
          await world.untilBalanced();
        }
        return spread('stop', stops);
      },
      { perSecond },
    ),
});
