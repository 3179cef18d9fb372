import { setTimeout as delay } from 'node:timers/promises';
import { HOLD } from '../../harness/faulty-proxy.ts';
import { defineScenario } from '../scenario.ts';
import { underTraffic } from '../under-traffic.ts';
import { LONG, pickVictim, SHORT, toolShape } from './common.ts';

export const whatsappCut = defineScenario({
  name: 'whatsapp-cut',
  description: 'a session-node loses WhatsApp but not the stores: it tries again with a backoff, nothing moves',
  covers: '19',
  short: { ...SHORT, refusedMs: 4_000, heldMs: 4_000 },
  long: { ...LONG, refusedMs: 30_000, heldMs: 90_000 },
  shape: toolShape,
  rules: () => [
    { figure: 'moved', atMost: 0, promise: 'fault 19' },
    { figure: 'overlaps', atMost: 0, promise: 'fault 19' },
  ],
  run: (world, { refusedMs, heldMs }, tools) =>
    underTraffic(world, async () => {
      const { node, lines } = await pickVictim(world, tools);
      const before = await world.placement();
      const { whatsapp } = world.links.of(node.nodeId);
      whatsapp.refuse();
      await delay(refusedMs);
      whatsapp.heal();
      whatsapp.set({ toServer: HOLD, toClient: HOLD });
      await delay(heldMs);
      const after = await world.placement();
      whatsapp.heal();
      const healed = performance.now();
      await world.untilOpen(lines);
      const moved = world.lines.filter(({ connectionId: id }) => before.get(id) !== after.get(id)).length;
      return { moved, reopenMs: Math.round(performance.now() - healed) };
    }),
});
