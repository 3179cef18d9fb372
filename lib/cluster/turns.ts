import type { Clock } from '../clock.ts';
import type { Locks } from './locks.port.ts';

/** Does something while the other processes of the cluster wait with theirs; `what` is what must not happen at once. */
export type TakeTurns = <R>(what: string, work: () => Promise<R>) => Promise<R>;

export interface TurnsOptions {
  locks: Pick<Locks, 'claim' | 'release'>;
  clock: Clock;
  /** `nodeId:incarnation`; one turn at a time for each `what` */
  holder: string;
}

/** a turn of somebody who died or was stopped ends by itself */
const TURN_MS = 250;
/** nobody waits longer than this: turns save work, they guard nothing */
const PATIENCE_MS = 250;
const SHORTEST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 8;
/** after the locks did not answer, nobody asks them for this long */
const REST_MS = 5_000;

/**
 * Processes that write the same document in transactions conflict: all but one of them work in vain and begin again. A
 * short lock around the transaction lets them go one after the other. It is courtesy, not safety: whoever waited too long
 * goes on without, and so does everybody while the locks do not answer.
 */
export function createTurns({ locks, clock, holder }: TurnsOptions): TakeTurns {
  let restUntil = Number.NEGATIVE_INFINITY;
  let number = 0;

  const pause = (ms: number) => new Promise<'over'>((resolve) => clock.after(ms, () => resolve('over')));
  const release = (key: string, lease: number) => void locks.release(key, holder, lease).catch(() => undefined);

  /** @returns the number of the turn; null = go on without */
  async function take(key: string): Promise<number | null> {
    number += 1;
    const lease = number;
    const patience = pause(PATIENCE_MS);
    for (let pauseMs = SHORTEST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      const asked = locks.claim(key, holder, TURN_MS, { lease });
      const answer = await Promise.race([asked, patience]);
      if (answer === 'over') {
        restUntil = clock.monotonic() + REST_MS;
        asked.then(({ mine }) => mine && release(key, lease)).catch(() => undefined);
        return null;
      }
      if (answer.mine) return lease;
      if ((await Promise.race([pause(pauseMs * (0.5 + Math.random())), patience.then(() => 'late')])) === 'late')
        return null;
    }
  }

  async function takeOrNot(key: string): Promise<number | null> {
    if (clock.monotonic() < restUntil) return null;
    try {
      return await take(key);
    } catch {
      restUntil = clock.monotonic() + REST_MS;
      return null;
    }
  }

  return async (what, work) => {
    const key = `turn:${what}`;
    const turn = await takeOrNot(key);
    try {
      return await work();
    } finally {
      if (turn !== null) release(key, turn);
    }
  };
}
