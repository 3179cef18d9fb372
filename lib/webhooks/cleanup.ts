import type { Clock } from '../clock.ts';
import type { DeliveryDoc, JobDoc, WebhookDoc } from '../storage/collections.ts';
import type { Filter, Store } from '../storage/port.ts';
import { DELIVERIES, JOBS, WEBHOOKS } from './delivery-rows.ts';

const BATCH_SIZE = 200;

/**
 * Ends the deliveries of a webhook that is disabled. Jobs first: a crash in between leaves a pending delivery, which the
 * next sweep finds again. A running attempt keeps its claim and settles by itself.
 */
export async function endPendingDeliveries(store: Store, clock: Clock, webhookId: string): Promise<void> {
  await endAll(store, clock, { webhookId, status: 'pending', claimedAt: null });
}

/** Deletes the deliveries of a webhook whose row is marked as deleted, then the row. May be repeated at any point. */
export async function purgeWebhook(store: Store, clock: Clock, webhookId: string): Promise<void> {
  await endAll(store, clock, { webhookId, status: 'pending' });
  const deliveries = store.collection<DeliveryDoc>(DELIVERIES);
  for (;;) {
    const some = await deliveries.find({ webhookId }, { limit: BATCH_SIZE });
    if (some.length === 0) break;
    await deliveries.deleteMany({ _id: { $in: some.map((delivery) => delivery._id) } });
  }
  await store.collection<WebhookDoc>(WEBHOOKS).deleteOne({ _id: webhookId, deletedAt: { $gt: 0 } });
}

/**
 * Finishes what a process that died left behind: deliveries of disabled webhooks (abandoned claims included), rows of
 * deleted ones. Part of the scheduler's round.
 */
export async function sweepWebhooks(store: Store, clock: Clock): Promise<void> {
  for (const webhook of await store.collection<WebhookDoc>(WEBHOOKS).find({ enabled: false })) {
    if (webhook.deletedAt !== null) await purgeWebhook(store, clock, webhook._id);
    else
      await endAll(store, clock, { webhookId: webhook._id, status: 'pending', nextAttemptAt: { $lte: clock.now() } });
  }
}

async function endAll(store: Store, clock: Clock, filter: Filter): Promise<void> {
  const deliveries = store.collection<DeliveryDoc>(DELIVERIES);
  for (;;) {
    const some = await deliveries.find(filter, { limit: BATCH_SIZE });
    if (some.length === 0) return;
    const updatedAt = clock.now();
    const jobs = { _id: { $in: some.map((delivery) => delivery.jobId) }, status: { $in: ['pending', 'processing'] } };
    await store.collection<JobDoc>(JOBS).updateMany(jobs, { $set: { status: 'cancelled', updatedAt } });
    const ended = { status: 'failed', claimedAt: null, nextAttemptAt: null, updatedAt };
    await deliveries.updateMany({ ...filter, _id: { $in: some.map((delivery) => delivery._id) } }, { $set: ended });
  }
}
