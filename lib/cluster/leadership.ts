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
  let leadsUntil = Number.NEGATIVE_INFINITY;
  let cancelTimer: (() => void) | null = null;
  let renewal: Promise<void> = Promise.resolve();
  let stopped = true;

  const isLeader = () => !stopped && clock.monotonic() < leadsUntil;

  async function renew(): Promise<void> {
    const sentAt = clock.monotonic();
    const led = isLeader();
    try {
      const { mine } = await locks.claim(key, holder, ttlMs);
      leadsUntil = mine ? sentAt + (ttlMs * 2) / 3 : Number.NEGATIVE_INFINITY;
      if (!led && isLeader()) onGained?.();
    } catch (error) {
      log.warn({ key, err: error }, 'the lead could not be confirmed');
    }
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
