import type { Clock } from '../clock.ts';

/** How often listeners are called without a commit that this process knows of: a ring from another one may be lost. */
export const DEFAULT_LOOK_INTERVAL_MS = 1_000;

/**
 * Wakes the followers of the log. Rings of one turn of the event loop are one call; between rings one timer for all
 * listeners makes sure that they look at least every `lookIntervalMs`. Without listeners there is no timer.
 */
export interface CommitBell {
  /** This process committed something. */
  ring(): void;
  /** Another process did. */
  ringFromAfar(): void;
  /** @returns the unsubscriber */
  listen(fn: () => void): () => void;
  /** Calls `fn` at every `ring()` and at nothing else: what tells the other processes. */
  onOwnRing(fn: () => void): void;
}

export function createCommitBell(clock: Clock, lookIntervalMs = DEFAULT_LOOK_INTERVAL_MS): CommitBell {
  const listeners = new Set<() => void>();
  const tellers: (() => void)[] = [];
  let cancelTimer: (() => void) | null = null;
  let ringing = false;

  function callAll(): void {
    for (const fn of [...listeners]) fn();
  }

  function arm(): void {
    cancelTimer = clock.after(lookIntervalMs, () => {
      // armed again first: a listener may unsubscribe, subscribe, or throw
      arm();
      callAll();
    });
  }

  function ringHere(): void {
    if (ringing || listeners.size === 0) return;
    ringing = true;
    setImmediate(() => {
      ringing = false;
      callAll();
    });
  }

  return {
    ring() {
      ringHere();
      for (const tell of tellers) tell();
    },

    ringFromAfar: ringHere,

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

    onOwnRing: (fn) => void tellers.push(fn),
  };
}
