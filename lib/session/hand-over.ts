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

/**
 * Hands a running connection to another node. The successor gives a place in its queue of claims first, so that a
 * thousand moves are spread over time and each session is away only for the time of one takeover. Then release, then the
 * hint; whoever does not answer the hint is passed over for the next node of the ring.
 */
export interface HandOver {
  /** To the node that the ring names, if that takes it; otherwise it goes on running here. `stillMeant` is asked last. */
  move(connectionId: string, stillMeant: () => boolean): Promise<void>;
  /** To anybody, and if there is nobody, to whoever comes. `hurry` ends every waiting. */
  leave(connectionId: string, hurry: Promise<void>): Promise<void>;
}

export function createHandOver({ ownership, peers, clock, log, release }: HandOverOptions): HandOver {
  const underWay = new Map<string, Promise<void>>();

  function once(connectionId: string, work: () => Promise<void>): Promise<void> {
    const running = underWay.get(connectionId);
    if (running) return running;
    const started = work()
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

  async function releaseTo(connectionId: string, nodeIds: readonly string[]): Promise<void> {
    if (!(await release(connectionId))) return;
    for (const nodeId of nodeIds) {
      if (await peers.offer(nodeId, connectionId)) return;
    }
  }

  return {
    move: (connectionId, stillMeant) =>
      once(connectionId, async () => {
        const target = ownership.placeOf(connectionId);
        const placed = target === null ? null : await place([target]);
        if (!placed) return;
        await pause(placed.waitMs);
        if (!stillMeant() || ownership.placeOf(connectionId) !== target) return;
        await releaseTo(connectionId, ownership.successorsOf(connectionId));
      }),
    leave: (connectionId, hurry) =>
      once(connectionId, async () => {
        const placed = await Promise.race([place(ownership.successorsOf(connectionId)), hurry.then(() => null)]);
        if (placed) await Promise.race([pause(placed.waitMs), hurry]);
        await releaseTo(connectionId, placed?.nodeIds ?? []);
      }),
  };
}
