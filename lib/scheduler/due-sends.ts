import type { Clock } from '../clock.ts';
import type { JobDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';

export interface DueSendsDeps {
  store: Store;
  clock: Clock;
  /** tells the owner of a connection to look at its outbox; may be lost */
  wake: (connectionId: string) => void;
}

const LIMIT = 500;
/** The first look reaches back this far; what is older, its owner has found by itself. */
const FIRST_LOOK_BACK_MS = 5_000;

/**
 * Wakes the connections whose scheduled messages (`sendAt`) have become due since the last look. Only speeds up what an
 * owner does by itself: its outbox finds due jobs too.
 */
export function createDueSends({ store, clock, wake }: DueSendsDeps): () => Promise<void> {
  const jobs = store.collection<JobDoc>('jobs');
  let lookedUntil = clock.now() - FIRST_LOOK_BACK_MS;

  return async () => {
    const now = clock.now();
    const due = await jobs.find(
      { jobType: 'message.send', status: 'pending', runAt: { $gt: lookedUntil, $lte: now } },
      { sort: [['runAt', 1]], limit: LIMIT },
    );
    lookedUntil = due.length === LIMIT ? (due.at(-1)?.runAt ?? now) : now;
    const scheduled = due.filter((job) => job.runAt > job.createdAt);
    for (const id of new Set(scheduled.map((job) => job.connectionId))) if (id !== null) wake(id);
  };
}
