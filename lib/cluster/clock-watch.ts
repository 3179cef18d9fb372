import type { Clock } from '../clock.ts';

const DEFAULT_JUMP_MS = 1_000;

/**
 * Notices that the wall clock jumped against the monotonic one: a suspended machine, whose monotonic clock stood still
 * while others' went on, or somebody who set the clock. Which of the two cannot be told, so it is taken for the former.
 * Drift and slewing are followed.
 * @returns whether it jumped by more than `jumpMs` since it was asked last
 */
export function createClockWatch(clock: Pick<Clock, 'now' | 'monotonic'>, jumpMs = DEFAULT_JUMP_MS): () => boolean {
  const offset = () => clock.now() - clock.monotonic();
  let known = offset();
  return () => {
    const now = offset();
    const jumped = Math.abs(now - known) > jumpMs;
    known = now;
    return jumped;
  };
}
