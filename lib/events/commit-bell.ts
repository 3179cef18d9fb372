import type { Clock } from '../clock.ts';

/** How often listeners are called without a commit of this process: other processes write to the same log. */
const LOOK_INTERVAL_MS = 1_000;

/**
 * Wakes the followers of the log. Rings of one turn of the event loop are one call; between rings one timer for all
 * listeners makes sure that they look at least every second. Without listeners there is no timer.
 */
export interface CommitBell {
  ring(): void;
  /** @returns the unsubscriber */
  listen(fn: () => void): () => void;
}

export function createCommitBell(clock: Clock): CommitBell {
  const listeners = new Set<() => void>();
  let cancelTimer: (() => void) | null = null;
  let ringing = false;

  function callAll(): void {
    for (const fn of [...listeners]) fn();
  }

  function arm(): void {
    cancelTimer = clock.after(LOOK_INTERVAL_MS, () => {
      // armed again first: a listener may unsubscribe, subscribe, or throw
      arm();
      callAll();
    });
  }

  return {
    ring() {
      if (ringing || listeners.size === 0) return;
      ringing = true;
      setImmediate(() => {
        ringing = false;
        callAll();
      });
    },

    listen(fn) {
      const listener = () => fn();
      listeners.add(listener);
      if (!cancelTimer) arm();
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        cancelTimer?.();
        cancelTimer = null;
      };
    },
  };
}
