import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { OwnershipTimings } from '../timings.ts';
import type { Locks } from './locks.port.ts';

/**
 * Watches that the locks did not forget: their generation is random and lost together with the data. A read that failed,
 * or a gap between two reads, begins the watch anew.
 */
export interface GenerationWatch {
  /** @returns the generation, if it has been seen without a break for at least that long; otherwise null */
  seenFor(ms: number): string | null;
  start(): void;
  stop(): void;
}

export interface GenerationWatchOptions {
  locks: Pick<Locks, 'generation'>;
  clock: Clock;
  log: Log;
  timings: Pick<OwnershipTimings, 'membershipReadMs' | 'membershipGapMs'>;
}

export function createGenerationWatch({ locks, clock, log, timings }: GenerationWatchOptions): GenerationWatch {
  let seen: { generation: string; since: number; lastAskedAt: number } | null = null;
  let asking = false;
  let cancel: () => void = () => {};

  async function ask(): Promise<void> {
    const askedAt = clock.monotonic();
    try {
      const generation = await locks.generation();
      const continued =
        seen?.generation === generation && clock.monotonic() - seen.lastAskedAt <= timings.membershipGapMs;
      seen = { generation, since: continued && seen ? seen.since : clock.monotonic(), lastAskedAt: askedAt };
    } catch (error) {
      seen = null;
      log.debug({ cause: (error as Error).message }, 'the generation of the locks cannot be read');
    }
  }

  function tick(): void {
    cancel = clock.after(timings.membershipReadMs, tick);
    if (asking) return;
    asking = true;
    void ask().finally(() => {
      asking = false;
    });
  }

  return {
    seenFor(ms) {
      if (!seen || clock.monotonic() - seen.lastAskedAt > timings.membershipGapMs) return null;
      return seen.lastAskedAt - seen.since >= ms ? seen.generation : null;
    },
    start: tick,
    stop: () => cancel(),
  };
}
