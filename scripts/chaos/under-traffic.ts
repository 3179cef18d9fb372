import { spread } from './percentile.ts';
import type { Figures } from './scenario.ts';
import { startTraffic } from './traffic.ts';
import { countTraffic } from './traffic-figures.ts';
import { gapsOf } from './world/sockets.ts';
import type { World } from './world/world.ts';

export interface TrafficOptions {
  /** texts a second of each direction, over all lines together */
  perSecond?: number;
  /** undo the harm before the traffic ends, so that the figures have that too; default true */
  recover?: boolean;
}

let runs = 0;

/**
 * Drives traffic both ways over every line while `harm` does what it does, then undoes it, lets everything come to rest,
 * and asks all who saw it: the witness, the contacts, the message lists, the store's own report of its changes.
 * @param harm gets the witness's time of its beginning; returns figures of its own
 */
export async function underTraffic(
  world: World,
  harm: (since: number) => Promise<Figures>,
  { perSecond = 1, recover = true }: TrafficOptions = {},
): Promise<Figures> {
  const { simulator, lines, api, audit } = world;
  const since = simulator.witness.now();
  const staleBefore = audit.staleWrites().length;
  const tag = `#${++runs} `;
  const traffic = startTraffic(api, lines, (lines.length / perSecond) * 1_000, tag);
  let figures: Figures;
  try {
    figures = await harm(since);
    if (recover) await world.recover();
    else await world.untilOpen();
  } finally {
    await traffic.stop();
  }
  const counted = await countTraffic(api, { traffic, lines, tag });
  return { ...figures, ...witnessed(world, since), ...counted, staleWrites: audit.staleWrites().length - staleBefore };
}

/** What the witness saw since then. */
function witnessed({ simulator, lines }: World, since: number): Figures {
  const { sockets, messages } = simulator.witness;
  const replaced = sockets.replacements().filter(({ at }) => at >= since);
  const overlaps = sockets.overlaps().filter(({ at }) => at >= since);
  const gaps = lines.flatMap(({ phone }) => gapsOf(simulator, phone.pn, since));
  return {
    overlaps: overlaps.length,
    zombieFrames: replaced.reduce((sum, { framesAfter }) => sum + framesAfter, 0),
    /* each was told 440: silent sockets of stopped processes too, which are no overlap */
    conflicts: replaced.length,
    logins: gaps.length,
    ...spread('gap', gaps),
    decryptFailures: messages.decryptFailures(since).length,
    repeatedIds: messages.list({ since }).filter(({ submitted }) => submitted > 1).length,
  };
}
