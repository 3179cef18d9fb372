import { setTimeout as delay } from 'node:timers/promises';
import type { Member } from '../../harness/cluster/cluster.ts';
import type { RunTools } from '../scenario.ts';
import type { Line } from '../traffic.ts';
import type { WorldShape } from '../world/shape.ts';
import { msToNextLogin, openSocketOf, socketsOf } from '../world/sockets.ts';
import type { World } from '../world/world.ts';

/** What nearly every scenario is measured in. */
export type Size = {
  nodes: number;
  connections: number;
  /** the protocol's times divided */
  quick: boolean;
};

/** The short versions share one cluster, with every tool in it. */
export const SHORT: Size = { nodes: 2, connections: 6, quick: true };
/** for promises that are about the default times */
export const SHORT_BY_DEFAULT_TIMES: Size = { ...SHORT, quick: false };
export const SHORT_OF_THREE: Size = { nodes: 3, connections: 9, quick: true };
export const LONG: Size = { nodes: 2, connections: 20, quick: false };

/** A world that can be cut into pieces and looked into. */
export const toolShape = ({ nodes, connections, quick }: Size): WorldShape => ({
  ...plainShape({ nodes, connections, quick }),
  partitions: true,
  inspected: true,
});

export const plainShape = ({ nodes, connections, quick }: Size): WorldShape => ({
  sessionNodes: nodes,
  connections,
  timings: quick ? 'quick' : 'default',
});

export interface Victim {
  node: Member;
  lines: Line[];
}

/** One that runs something. @throws when none does */
export async function pickVictim(world: World, { random, log }: RunTools): Promise<Victim> {
  const candidates: Victim[] = [];
  for (const node of world.nodes()) {
    const lines = await world.linesOn(node.nodeId);
    if (lines.length > 0) candidates.push({ node, lines });
  }
  const victim = random.pick(candidates);
  log(`${victim.node.nodeId} with ${victim.lines.length} connections`);
  return victim;
}

/** Sockets of these lines that ended since then. */
export function dropsSince({ simulator }: World, lines: readonly Line[], since: number): number {
  const sockets = lines.flatMap(({ phone }) => socketsOf(simulator, phone.pn));
  return sockets.filter(({ closedAt, loginAt }) => loginAt < since && closedAt !== undefined && closedAt >= since)
    .length;
}

/** How often each of these lines logged in since then. */
export function loginsSince({ simulator }: World, lines: readonly Line[], since: number): number[] {
  return lines.map(({ phone }) => socketsOf(simulator, phone.pn).filter(({ loginAt }) => loginAt >= since).length);
}

/** Ms from then to each line's next login; resolves when all of them have logged in. @throws after `timeoutMs` */
export async function nextLogins(
  { simulator }: World,
  lines: readonly Line[],
  since: number,
  timeoutMs = 120_000,
): Promise<number[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = lines.map(({ phone }) => msToNextLogin(simulator, phone.pn, since));
    const known = found.filter((ms) => ms !== undefined);
    if (known.length === lines.length) return known;
    if (performance.now() > deadline) {
      throw new Error(`${lines.length - known.length} of ${lines.length} did not log in within ${timeoutMs} ms`);
    }
    await delay(50);
  }
}

/** Ms from then to the end of the socket that each line had; those that kept it are left out. */
export function endsSince({ simulator }: World, lines: readonly Line[], since: number): number[] {
  return lines.flatMap(({ phone }) => {
    const had = socketsOf(simulator, phone.pn).findLast(({ loginAt }) => loginAt < since);
    return had?.closedAt === undefined ? [] : [had.closedAt - since];
  });
}

/** Lines without a socket right now. */
export const closedLines = ({ simulator, lines }: World): Line[] =>
  lines.filter(({ phone }) => openSocketOf(simulator, phone.pn) === undefined);
