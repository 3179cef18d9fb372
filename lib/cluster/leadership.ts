import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Locks } from './locks.port.ts';

export interface LeadershipOptions {
  locks: Locks;
  clock: Clock;
  log: Log;
  /** the lock that decides */
  key: string;
  /** `nodeId:incarnation` */
  holder: string;
  /** how long the lock outlives its holder; default 10,000 ms */
  ttlMs?: number;
  /** called each time this process becomes the leader */
  onGained?: () => void;
}

/**
 * One of the processes that run the same background work does it. The holder renews at a third of the TTL and believes
 * in its own lead for two thirds, counted from before the renewal was sent. Work that is led must bear an overlap (a
 * process that was paused): the lead saves work, it does not guard data.
 *
 * So an outage of the locks must not end the work. While they cannot be reached the leader goes on leading; and because
 * it may have died, everybody leads who has not reached them for twice the TTL. With the locks one leader is back.
 */
export interface Leadership {
  start(): Promise<void>;
  isLeader(): boolean;
  /** Gives the lead up at once. */
  stop(): Promise<void>;
}

const DEFAULT_TTL_MS = 10_000;

export function createLeadership(options: LeadershipOptions): Leadership {
  const { locks, clock, log, key, holder, ttlMs = DEFAULT_TTL_MS, onGained } = options;
  const believedMs = (ttlMs * 2) / 3;
  let leadsUntil = Number.NEGATIVE_INFINITY;
  let reachedAt = 0;
  let cancelTimer: (() => void) | null = null;
  let renewal: Promise<void> = Promise.resolve();
  let stopped = true;

  const isLeader = () => !stopped && clock.monotonic() < leadsUntil;

  async function renew(): Promise<void> {
    const sentAt = clock.monotonic();
    const led = isLeader();
    try {
      const { mine } = await locks.claim(key, holder, ttlMs);
      leadsUntil = mine ? sentAt + believedMs : Number.NEGATIVE_INFINITY;
      reachedAt = clock.monotonic();
    } catch (error) {
      const goesOn = led || clock.monotonic() - reachedAt > ttlMs * 2;
      if (goesOn) leadsUntil = clock.monotonic() + believedMs;
      log.warn({ key, leads: goesOn, err: error }, 'the lead could not be confirmed');
    }
    if (!led && isLeader()) onGained?.();
  }

  function turn(): void {
    renewal = renew().then(() => {
      if (!stopped) cancelTimer = clock.after(ttlMs / 3, turn);
    });
  }

  return {
    isLeader,

    async start() {
      stopped = false;
      reachedAt = clock.monotonic();
      turn();
      await renewal;
    },

    async stop() {
      if (stopped) return;
      stopped = true;
      cancelTimer?.();
      await renewal;
      try {
        await locks.release(key, holder);
      } catch (error) {
        log.warn({ key, err: error }, 'the lead could not be given back; it ends by itself');
      }
    },
  };
}
