import type { Clock } from '../clock.ts';
import { unguardedStore } from '../cluster/guarded-store.ts';
import type { Log } from '../log.ts';
import type { JobDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import { JOBS_COLLECTION } from './message-view.ts';

const LOOK_INTERVAL_MS = 1_000;
const MAX_CONNECTIONS_PER_LOOK = 500;
const MAX_JOBS_PER_LOOK = 500;

/** What a look needs to know of an outbox. */
export interface Watched {
  readonly connectionId: string;
  /** false while it has all that it can do: then it looks by itself */
  hasRoom(): boolean;
  wake(): void;
}

/**
 * One query a second for all outboxes of a process, instead of one each: finds jobs whose wake-up was lost and scheduled
 * ones that became due.
 */
export interface OutboxLook {
  add(outbox: Watched): void;
  remove(outbox: Watched): void;
}

const looks = new WeakMap<Store, OutboxLook>();

/** @returns the look that all outboxes of this store share */
export function outboxLookOf(store: Store, clock: Clock, log: Log): OutboxLook {
  const common = unguardedStore(store);
  let look = looks.get(common);
  if (!look) {
    look = createOutboxLook(common, clock, log);
    looks.set(common, look);
  }
  return look;
}

function createOutboxLook(store: Store, clock: Clock, log: Log): OutboxLook {
  const jobs = store.collection<JobDoc>(JOBS_COLLECTION);
  const watched = new Map<string, Watched>();
  /** a timer or a look is under way; there is never more than one */
  let armed = false;
  let cancelTimer: (() => void) | null = null;

  function arm(): void {
    if (armed) return;
    armed = true;
    cancelTimer = clock.after(LOOK_INTERVAL_MS, () => {
      cancelTimer = null;
      look()
        .catch((error: unknown) => log.warn({ err: error }, 'cannot look for jobs that became due'))
        .finally(() => {
          armed = false;
          if (watched.size > 0) arm();
        });
    });
  }

  async function look(): Promise<void> {
    const ids = [...watched.values()].filter((outbox) => outbox.hasRoom()).map((outbox) => outbox.connectionId);
    for (let from = 0; from < ids.length; from += MAX_CONNECTIONS_PER_LOOK) {
      await lookFor(ids.slice(from, from + MAX_CONNECTIONS_PER_LOOK));
    }
  }

  async function lookFor(connectionIds: string[]): Promise<void> {
    const due = await jobs.find(
      {
        connectionId: { $in: connectionIds },
        jobType: 'message.send',
        status: 'pending',
        runAt: { $lte: clock.now() },
      },
      { limit: MAX_JOBS_PER_LOOK },
    );
    // A full answer may hide connections behind a long queue of one: then all of them look.
    const found = due.length === MAX_JOBS_PER_LOOK ? connectionIds : due.map((job) => job.connectionId as string);
    for (const connectionId of new Set(found)) watched.get(connectionId)?.wake();
  }

  return {
    add(outbox) {
      watched.set(outbox.connectionId, outbox);
      arm();
    },
    remove(outbox) {
      if (watched.get(outbox.connectionId) === outbox) watched.delete(outbox.connectionId);
      if (watched.size > 0 || !cancelTimer) return;
      cancelTimer();
      cancelTimer = null;
      armed = false;
    },
  };
}
