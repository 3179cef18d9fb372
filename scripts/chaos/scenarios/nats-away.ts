import { setTimeout as delay } from 'node:timers/promises';
import { defineScenario, type Figures, type RunTools } from '../scenario.ts';
import { underTraffic } from '../under-traffic.ts';
import type { World } from '../world/world.ts';
import { dropsSince, LONG, SHORT, toolShape } from './common.ts';

const rules = () => [{ figure: 'drops', atMost: 0, promise: 'faults 8, 9' }];

/** The bus decides nothing about ownership: sockets live through it, and what was asked meanwhile is asked again. */
async function without(world: World, { log }: RunTools, awayMs: number, how: 'killed' | 'paused'): Promise<Figures> {
  const nats = world.cluster.find('nats');
  return underTraffic(world, async (since) => {
    await delay(1_000);
    if (how === 'killed') await nats.kill();
    else nats.pause();
    log(`NATS is ${how}`);
    await delay(awayMs);
    if (how === 'killed') await nats.start();
    else nats.resume();
    const back = performance.now();
    const drops = dropsSince(world, world.lines, since);
    await untilAccepted(world);
    return { drops, sendAgainMs: Math.round(performance.now() - back) };
  });
}

async function untilAccepted({ api, lines }: World): Promise<void> {
  const [line] = lines;
  if (!line) return;
  const body = { connectionId: line.connectionId, to: line.contact.pn, content: 'after the bus was away' };
  for (;;) {
    const signal = AbortSignal.timeout(2_000);
    const answer = await api.call('POST', '/message/send', body, {}, signal).catch(() => null);
    if (answer?.status === 202) return;
    await delay(100);
  }
}

export const natsKilled = defineScenario({
  name: 'nats-killed',
  description: 'NATS is killed and comes back: no socket drops, sends go on',
  covers: '8',
  short: { ...SHORT, awayMs: 5_000 },
  long: { ...LONG, awayMs: 30_000 },
  shape: toolShape,
  rules,
  run: (world, { awayMs }, tools) => without(world, tools, awayMs, 'killed'),
});

export const natsPaused = defineScenario({
  name: 'nats-paused',
  description:
    'NATS stands still past the timeouts of its callers, then delivers late what it had: nothing happens twice',
  covers: '9, P6',
  short: { ...SHORT, awayMs: 8_000 },
  long: { ...LONG, awayMs: 100_000 },
  shape: toolShape,
  rules,
  run: (world, { awayMs }, tools) => without(world, tools, awayMs, 'paused'),
});
