import type { Clock } from '../clock.ts';
import type { ActorDeps } from './actor.port.ts';

const CANARY_EVERY_MS = 3_600_000;

/** One connection an hour may try whether WhatsApp takes this version of the client again. */
export function createOutdatedCanary(clock: Clock): ActorDeps['canary'] {
  let takenAt = Number.NEGATIVE_INFINITY;
  return {
    isFree: () => clock.monotonic() - takenAt >= CANARY_EVERY_MS,
    take: () => {
      takenAt = clock.monotonic();
    },
  };
}
