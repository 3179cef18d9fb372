import type { Clock } from '../clock.ts';
import type { Caller } from '../contracts/action.ts';
import type { QueueJob } from '../contracts/entities.ts';
import { found, notFound, scopeFilter } from '../contracts/scope.ts';
import { CastellanError, isErrorType } from '../errors.ts';
import type { EventLog } from '../events/event-log.port.ts';
import type { JobDoc, MessageDoc } from '../storage/collections.ts';
import type { Store, Write } from '../storage/port.ts';
import { JOBS_COLLECTION, MESSAGES_COLLECTION, toQueueJob } from './message-view.ts';
import { canBecome } from './status.ts';
import { statusWrites } from './status-writes.ts';

export interface JobCancelOptions {
  store: Store;
  events: EventLog;
  clock: Clock;
}

export type CancelJob = (caller: Caller, jobId: string) => Promise<QueueJob>;

/**
 * Cancelling is a race with the owner, and the store decides it: the job goes from `pending` to `cancelled` or to
 * `processing`, never to both. A message whose outcome is unknown cannot be called back.
 *
 * @returns a function that cancels a job of the caller; it throws NOT_FOUND, or WRONG_STATE when somebody has begun it
 */
export function createJobCancel({ store, events, clock }: JobCancelOptions): CancelJob {
  const jobs = store.collection<JobDoc>(JOBS_COLLECTION);
  const messages = store.collection<MessageDoc>(MESSAGES_COLLECTION);

  async function withMessage(job: JobDoc, at: number): Promise<Write[]> {
    if (job.jobType !== 'message.send') return [];
    const message = await messages.findOne({ _id: job.subjectId });
    if (!message) throw notFound();
    if (!canBecome(message.status, 'cancelled')) throw begun(job);
    return statusWrites(events, message, { to: 'cancelled', epoch: null, at }).writes;
  }

  return async (caller, jobId) => {
    const job = found(await jobs.findOne({ _id: jobId, ...scopeFilter(caller) }));
    if (job.status !== 'pending') throw begun(job);
    const at = clock.now();
    const change = { status: 'cancelled', updatedAt: at } as const;
    const filter = { _id: jobId, status: 'pending' };
    const writes = await withMessage(job, at);
    try {
      await store.atomically([
        { op: 'update', collection: JOBS_COLLECTION, filter, update: { $set: change } },
        ...writes,
      ]);
    } catch (error) {
      if (isErrorType(error, 'CONDITION_FAILED')) throw begun(job);
      throw error;
    }
    events.committed();
    return toQueueJob({ ...job, ...change });
  };
}

function begun({ status }: JobDoc): CastellanError {
  const state = status === 'pending' ? 'processing' : status;
  return new CastellanError('WRONG_STATE', `The job is ${state}: only a pending one can be cancelled.`, {
    status: state,
  });
}
