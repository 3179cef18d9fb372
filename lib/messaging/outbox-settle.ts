import type { JobStatus, MessageError, MessageStatus } from '../contracts/entities.ts';
import { isErrorType } from '../errors.ts';
import type { JobDoc, MessageDoc } from '../storage/collections.ts';
import type { Filter, Write } from '../storage/port.ts';
import { turnOfMessage, turnOfWaMessage } from './message-turns.ts';
import { JOBS_COLLECTION, MESSAGES_COLLECTION, openContent, toMessage } from './message-view.ts';
import type { OutboxOptions } from './outbox.port.ts';
import { statusWrites } from './status-writes.ts';

/** How a send job ends. */
export type Verdict =
  | { job: 'completed' }
  | { job: 'parked' }
  | { job: 'failed'; error: MessageError }
  /** nothing left: as if it had not been taken */
  | { job: 'pending' };

/** Writes how jobs end: job, message and events in one atomic group, unless a later owner wrote. */
export interface Settlement {
  /**
   * @param learned fields of the message that sending it brought to light
   * @throws STORE_UNAVAILABLE when it cannot be written now
   */
  settle(job: JobDoc, message: MessageDoc, verdict: Verdict, learned?: Partial<MessageDoc>): Promise<void>;
}

/** The message's status is changed by receipts too; every collision means that it went forward, so few rounds are enough. */
const MAX_ROUNDS = 10;
const UNFINISHED: readonly JobStatus[] = ['pending', 'processing'];

type SettlementOptions = Pick<
  OutboxOptions,
  'store' | 'events' | 'vault' | 'clock' | 'log' | 'epoch' | 'traffic' | 'turns'
>;

export function createSettlement(options: SettlementOptions): Settlement {
  const { store, events, vault, clock, log, epoch, traffic, turns } = options;
  const messages = store.collection<MessageDoc>(MESSAGES_COLLECTION);
  const jobs = store.collection<JobDoc>(JOBS_COLLECTION);
  const stillMine = (jobId: string): Filter => ({ _id: jobId, status: { $in: UNFINISHED }, epoch: { $lte: epoch } });

  function jobWrite(job: JobDoc, verdict: Verdict, at: number): Write {
    const error = verdict.job === 'failed' ? verdict.error : null;
    const change = { status: verdict.job, error, epoch, updatedAt: at };
    return { op: 'update', collection: JOBS_COLLECTION, filter: stillMine(job._id), update: { $set: change } };
  }

  function statusOf({ job }: Verdict): MessageStatus | null {
    if (job === 'completed') return 'sent';
    return job === 'pending' ? null : job;
  }

  function messageWrites(message: MessageDoc, verdict: Verdict, set: Partial<MessageDoc>, at: number): Write[] {
    const to = statusOf(verdict);
    const error = verdict.job === 'failed' ? { error: verdict.error } : {};
    // Through `sending`, so that the log shows every step although the claim may be applied later than the ack.
    const through: MessageStatus[] = to === 'sent' && message.status === 'queued' ? ['sending'] : [];
    const { message: current, writes } =
      to === null ? { message, writes: [] } : statusWrites(events, message, { to, through, epoch, at, set, ...error });
    if (verdict.job !== 'completed') return writes;
    const data = { message: toMessage(current, openContent(vault, current)) };
    const { userId, connectionId } = current;
    return [...writes, events.write({ type: 'message.sent', userId, connectionId, epoch, occurredAt: at, data })];
  }

  const settle: Settlement['settle'] = async (job, message, verdict, learned = {}) => {
    let current: MessageDoc | null = message;
    for (let round = 0; round < MAX_ROUNDS && current; round += 1) {
      const at = clock.now();
      try {
        await store.atomically([jobWrite(job, verdict, at), ...messageWrites(current, verdict, learned, at)]);
        if (verdict.job === 'completed') traffic?.count(1);
        events.committed();
        return;
      } catch (error) {
        if (!isErrorType(error, 'CONDITION_FAILED')) throw error;
      }
      if (!(await jobs.findOne(stillMine(job._id)))) return;
      current = await messages.findOne({ _id: message._id });
    }
    log.error({ jobId: job._id, messageId: message._id }, 'cannot settle a job: its message keeps changing');
  };

  return {
    settle(job, message, verdict, learned) {
      const { _id, connectionId, waMessageId } = message;
      return turns.inTurn([turnOfMessage(_id), turnOfWaMessage(connectionId, waMessageId)], async (waited) => {
        const current = waited ? await messages.findOne({ _id }) : message;
        if (current) await settle(job, current, verdict, learned);
      });
    },
  };
}
