import { HOLD } from '../../harness/faulty-proxy.ts';
import { spread } from '../percentile.ts';
import { defineScenario } from '../scenario.ts';
import { underTraffic } from '../under-traffic.ts';
import { LONG, nextLogins, pickVictim, SHORT, toolShape } from './common.ts';

export const silentPeer = defineScenario({
  name: 'silent-peer',
  description: 'SIGTERM while WhatsApp answers nothing, not even a close: sockets are terminated, not waited for',
  covers: '23',
  short: SHORT,
  long: LONG,
  shape: toolShape,
  rules: () => [{ figure: 'stopMs', atMost: 15_000, promise: 'fault 23' }],
  run: (world, _, tools) =>
    underTraffic(world, async () => {
      const { node, lines } = await pickVictim(world, tools);
      /* what it says arrives: bytes that a network holds and delivers after its end are nobody's to call back */
      world.links.of(node.nodeId).whatsapp.set({ toClient: HOLD });
      const since = world.simulator.witness.now();
      const began = performance.now();
      await node.stop();
      const stopMs = Math.round(performance.now() - began);
      return { stopMs, ...spread('elsewhere', await nextLogins(world, lines, since)) };
    }),
});
