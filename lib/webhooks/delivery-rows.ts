import { isoTime } from '../clock.ts';
import type { Delivery } from '../contracts/entities.ts';
import { newId, siblingId } from '../ids.ts';
import type { DeliveryDoc, EventDoc, JobDoc } from '../storage/collections.ts';
import type { Write } from '../storage/port.ts';

export const DELIVERIES = 'deliveries';
export const JOBS = 'jobs';
export const WEBHOOKS = 'webhooks';

type EventRow = Pick<EventDoc, '_id' | 'type' | 'connectionId'>;

/**
 * The two rows of one event for one webhook: the delivery, which carries the schedule, and its QueueJob.
 * @param owner the webhook's user, whose rows these are
 */
export function newDelivery(owner: { webhookId: string; userId: string }, event: EventRow, now: number): DeliveryDoc {
  const _id = newId('delivery');
  return {
    _id,
    webhookId: owner.webhookId,
    userId: owner.userId,
    connectionId: event.connectionId,
    eventId: event._id,
    eventType: event.type,
    status: 'pending',
    attempts: [],
    jobId: siblingId('job', _id),
    tries: 0,
    claimedAt: null,
    nextAttemptAt: now,
    createdAt: now,
    updatedAt: now,
  };
}

/** @param runAt when the first attempt of this round is due, ms */
export function newJob(delivery: DeliveryDoc, runAt: number): JobDoc {
  return {
    _id: delivery.jobId,
    userId: delivery.userId,
    connectionId: delivery.connectionId,
    jobType: 'webhook.deliver',
    status: 'pending',
    subjectId: delivery._id,
    outboxSeq: null,
    chatId: null,
    attempts: 0,
    runAt,
    onUnknown: 'resend',
    epoch: 0,
    error: null,
    createdAt: runAt,
    updatedAt: runAt,
  };
}

export function insertDelivery(delivery: DeliveryDoc, now: number): Write[] {
  return [
    { op: 'insert', collection: DELIVERIES, doc: delivery },
    { op: 'insert', collection: JOBS, doc: newJob(delivery, now) },
  ];
}

export function deliveryView(doc: DeliveryDoc): Delivery {
  const due = doc.status === 'pending' && doc.claimedAt === null ? doc.nextAttemptAt : null;
  return {
    deliveryId: doc._id,
    webhookId: doc.webhookId,
    eventId: doc.eventId,
    eventType: doc.eventType,
    status: doc.status,
    attempts: doc.attempts,
    nextAttemptAt: due === null ? null : isoTime(due),
    createdAt: isoTime(doc.createdAt),
  };
}
