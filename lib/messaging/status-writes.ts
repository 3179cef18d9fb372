import type { MessageError, MessageStatus } from '../contracts/entities.ts';
import type { EventLog } from '../events/event-log.port.ts';
import type { MessageDoc } from '../storage/collections.ts';
import type { Write } from '../storage/port.ts';
import { MESSAGES_COLLECTION } from './message-view.ts';
import { canBecome, statusRank } from './status.ts';

export interface StatusChange {
  to: MessageStatus;
  /** statuses that it passed on the way, in order: an event each, but no write of the message */
  through?: readonly MessageStatus[];
  /** of the writing owner; null where no owner writes (cancel) */
  epoch: number | null;
  at: number;
  error?: MessageError;
  /** further fields that are learnt together with the status */
  set?: Partial<MessageDoc>;
}

/**
 * The writes that take a message to another status and log it, for an atomic group. They hold only while the stored
 * message is in the status that was read (the event names it), and, for an owner, while no later one wrote:
 * CONDITION_FAILED otherwise.
 * @returns the message as it will be, and no writes where the order of statuses forbids the step
 */
export function statusWrites(
  events: EventLog,
  message: MessageDoc,
  { to, through = [], epoch, at, error, set }: StatusChange,
): { message: MessageDoc; writes: Write[] } {
  if (!canBecome(message.status, to)) return { message, writes: [] };
  const change: Partial<MessageDoc> = {
    ...set,
    updatedAt: at,
    ...(error && { error }),
    ...(epoch !== null && { epoch }),
  };
  const fence = epoch === null ? {} : { epoch: { $lte: epoch } };
  const reached = (status: MessageStatus) => ({ status, statusRank: statusRank(status) });
  let previous = message.status;
  const logged = [...through, to].map((status) => {
    const event = statusEvent(events, { ...message, ...change, ...reached(status) }, previous);
    previous = status;
    return event;
  });
  const update: Write = {
    op: 'update',
    collection: MESSAGES_COLLECTION,
    filter: { _id: message._id, status: message.status, ...fence },
    update: { $set: { ...change, ...reached(to) } },
  };
  return { message: { ...message, ...change, ...reached(to) }, writes: [update, ...logged] };
}

/** The event that a message came to its present status. */
export function statusEvent(events: EventLog, message: MessageDoc, previousStatus: MessageStatus | null): Write {
  const { _id, userId, connectionId, epoch, updatedAt, waMessageId, status, error } = message;
  return events.write({
    type: 'message.status',
    userId,
    connectionId,
    /* 0: no owner has had it in hand yet */
    epoch: epoch === 0 ? null : epoch,
    occurredAt: updatedAt,
    data: { messageId: _id, waMessageId, status, previousStatus, ...(error && { error }) },
  });
}
