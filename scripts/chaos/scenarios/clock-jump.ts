import { setTimeout as delay } from 'node:timers/promises';
import { evaluateIn } from '../../harness/inspector.ts';
import { defineScenario } from '../scenario.ts';
import { underTraffic } from '../under-traffic.ts';
import { dropsSince, LONG, pickVictim, SHORT, toolShape } from './common.ts';

const HOUR_MS = 3_600_000;

/** The wall clock as everything in the process reads it; setting the machine's would need root and hit everybody. */
const setClock = (shiftMs: number) => `{
  const Real = (globalThis.RealDate ??= Date);
  globalThis.Date = class Date extends Real {
    constructor(...parts) { super(...(parts.length > 0 ? parts : [Real.now() + ${shiftMs}])); }
    static now() { return Real.now() + ${shiftMs}; }
  };
}`;

export const clockJump = defineScenario({
  name: 'clock-jump',
  description:
    'the wall clock of a session-node jumps an hour ahead, an hour back, and is set right: leases do not care',
  covers: '48',
  short: { ...SHORT, eachMs: 4_000 },
  long: { ...LONG, eachMs: 30_000 },
  shape: toolShape,
  rules: () => [
    { figure: 'drops', atMost: 0, promise: 'fault 48' },
    { figure: 'repeatedIds', atMost: 0, promise: 'fault 48' },
  ],
  run: (world, { eachMs }, tools) =>
    underTraffic(world, async (since) => {
      const { node, lines } = await pickVictim(world, tools);
      for (const shiftMs of [HOUR_MS, -HOUR_MS, 0]) {
        await evaluateIn(node.output(), setClock(shiftMs));
        await delay(eachMs);
      }
      return { drops: dropsSince(world, lines, since) };
    }),
});
