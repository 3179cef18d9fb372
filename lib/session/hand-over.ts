import pLimit from 'p-limit';
import type { Clock } from '../clock.ts';
import type { Ownership } from '../cluster/ownership.ts';
import type { Log } from '../log.ts';
import type { Peers } from './peers.port.ts';

export interface HandOverOptions {
  ownership: Pick<Ownership, 'placeOf' | 'successorsOf'>;
  peers: Peers;
  clock: Clock;
  log: Log;
  /** Ends it here in the planned way; resolves when session and lock are released. @returns whether it ran */
  release(connectionId: string): Promise<boolean>;
}

/** How many are between two nodes at once: with more, each would only wait the longer for its takeover and login. */
const AT_ONCE = 4;

/**
 * Hands a running connection to another node. The successor gives a place in its queue of claims first, so that a
 * thousand moves are spread over time and each session is away only for the time of one takeover. Then release, then the
 * hint; whoever does not answer the hint is passed over for the next node of the ring. The next ones go when these have
 * arrived, so a slow store makes a move of many slower, and not each session's absence longer.
 */
export interface HandOver {
  /** To the node that the ring names, if that takes it; otherwise it goes on running here. `stillMeant` is asked last. */
  move(connectionId: string, stillMeant: () => boolean): Promise<void>;
  /** To anybody, and if there is nobody, to whoever comes. `hurry` ends every waiting. */
  leave(connectionId: string, hurry: Promise<void>): Promise<void>;
}

export function createHandOver({ ownership, peers, clock, log, release }: HandOverOptions): HandOver {
  const moving = new Map<string, Promise<void>>();
  const leaving = new Map<string, Promise<void>>();
  const limit = pLimit(AT_ONCE);

  function once(underWay: Map<string, Promise<void>>, connectionId: string, work: () => Promise<void>): Promise<void> {
    const running = underWay.get(connectionId);
    if (running) return running;
    const started = limit(work)
      .catch((error: Error) => log.warn({ connectionId, cause: error.message }, 'a hand-over failed'))
      .finally(() => underWay.delete(connectionId));
    underWay.set(connectionId, started);
    return started;
  }

  const pause = (ms: number) => new Promise<void>((resolve) => (ms > 0 ? clock.after(ms, resolve) : resolve()));

  /** @returns those that take it, best first; the first has kept a place */
  async function place(nodeIds: readonly string[]): Promise<{ nodeIds: string[]; waitMs: number } | null> {
    for (const [index, nodeId] of nodeIds.entries()) {
      const waitMs = await peers.reserve(nodeId);
      if (waitMs !== null) return { nodeIds: nodeIds.slice(index), waitMs };
    }
    return null;
  }

  /** @returns who took it; null = it did not run here, or whoever comes takes it */
  async function releaseTo(connectionId: string, nodeIds: readonly string[]): Promise<string | null> {
    if (!(await release(connectionId))) return null;
    for (const nodeId of nodeIds) if (await peers.offer(nodeId, connectionId)) return nodeId;
    return null;
  }

  const arrival = async (nodeId: string | null, connectionId: string) =>
    nodeId === null ? undefined : peers.arrival(nodeId, connectionId);

  async function move(connectionId: string, stillMeant: () => boolean): Promise<void> {
    const target = ownership.placeOf(connectionId);
    const placed = target === null || !stillMeant() ? null : await place([target]);
    if (!placed) return;
    await pause(placed.waitMs);
    if (!stillMeant() || ownership.placeOf(connectionId) !== target) return;
    await arrival(await releaseTo(connectionId, ownership.successorsOf(connectionId)), connectionId);
  }

  async function leave(connectionId: string, hurry: Promise<void>): Promise<void> {
    const placed = await Promise.race([place(ownership.successorsOf(connectionId)), hurry.then(() => null)]);
    if (placed) await Promise.race([pause(placed.waitMs), hurry]);
    const successor = await releaseTo(connectionId, placed?.nodeIds ?? []);
    await Promise.race([arrival(successor, connectionId), hurry]);
  }

  return {
    move: (connectionId, stillMeant) =>
      leaving.get(connectionId) ?? once(moving, connectionId, () => move(connectionId, stillMeant)),
    async leave(connectionId, hurry) {
      void hurry.then(() => {
        limit.concurrency = Number.POSITIVE_INFINITY;
      });
      /* a move may be called off in the end: then it is still here */
      await moving.get(connectionId);
      await once(leaving, connectionId, () => leave(connectionId, hurry));
    },
  };
}
