import type { Clock } from '../clock.ts';
import type { EventLog } from './event-log.port.ts';

/** Between two broadcasts of one process: under load they are 20 a second, whatever is committed. */
const INTERVAL_MS = 50;

/**
 * Tells the other processes of a cluster that something was committed, so that their followers need not wait for their
 * next look. The first commit is told at once, those of the next 50 ms together. May get lost: followers also look by
 * themselves. What comes from another process is told to nobody, so nothing goes round in circles.
 *
 * @param broadcast tells all others; never throws
 * @returns stops it
 */
export function tellOfCommits(log: EventLog, clock: Clock, broadcast: () => void): () => void {
  let cancelTimer: (() => void) | null = null;
  let missed = false;
  let stopped = false;

  function tell(): void {
    missed = false;
    broadcast();
    cancelTimer = clock.after(INTERVAL_MS, () => {
      cancelTimer = null;
      if (missed) tell();
    });
  }

  log.onOwnCommit(() => {
    if (stopped) return;
    if (cancelTimer) missed = true;
    else tell();
  });

  return () => {
    stopped = true;
    cancelTimer?.();
  };
}
