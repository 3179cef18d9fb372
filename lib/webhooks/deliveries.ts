import type { Clock } from '../clock.ts';
import type { Caller } from '../contracts/action.ts';
import type { Delivery, Page } from '../contracts/entities.ts';
import type { PageParams } from '../contracts/params.ts';
import { found } from '../contracts/scope.ts';
import type { DeliveryStatus, RedeliverManyParams } from '../contracts/webhooks.contract.ts';
import { CastellanError, isErrorType } from '../errors.ts';
import type { EventLog } from '../events/event-log.port.ts';
import { newId } from '../ids.ts';
import type { DeliveryDoc, WebhookDoc } from '../storage/collections.ts';
import { listByCursor } from '../storage/cursor-list.ts';
import { findPage } from '../storage/page.ts';
import type { Filter, Store } from '../storage/port.ts';
import { DELIVERIES, deliveryView, insertDelivery, JOBS, newDelivery, newJob, WEBHOOKS } from './delivery-rows.ts';
import { visibleWebhooks } from './webhooks.ts';

export interface DeliveriesDeps {
  store: Store;
  events: EventLog;
  clock: Clock;
  attemptNow: (delivery: DeliveryDoc) => Promise<void>;
  onChange: () => void;
}

/** The deliveries of a tenant's webhooks. A foreign webhook is NOT_FOUND. */
export interface Deliveries {
  list(caller: Caller, webhookId: string, options: PageParams & { status?: DeliveryStatus }): Promise<Page<Delivery>>;
  /** Sends a `webhook.test` event to this webhook alone, disabled or not, once. @returns the delivery with its attempt */
  test(caller: Caller, webhookId: string): Promise<Delivery>;
  /**
   * Begins a new round for a delivery that ended: same event, same body, a new job.
   * @throws NOT_FOUND, WRONG_STATE (it is still pending, or the webhook is disabled)
   */
  redeliver(caller: Caller, webhookId: string, deliveryId: string): Promise<Delivery>;
  /** The same for all that ended with `status` (default `failed`). @throws NOT_FOUND, WRONG_STATE, BAD_REQUEST */
  redeliverMany(caller: Caller, webhookId: string, which: RedeliverManyParams): Promise<{ redelivered: number }>;
}

const BATCH_SIZE = 100;

export function createDeliveries({ store, events, clock, attemptNow, onChange }: DeliveriesDeps): Deliveries {
  const webhooks = store.collection<WebhookDoc>(WEBHOOKS);
  const deliveries = store.collection<DeliveryDoc>(DELIVERIES);

  async function webhookOf(caller: Caller, webhookId: string): Promise<WebhookDoc> {
    return found(await webhooks.findOne({ _id: webhookId, ...visibleWebhooks(caller) }));
  }

  async function enabledWebhookOf(caller: Caller, webhookId: string): Promise<WebhookDoc> {
    const webhook = await webhookOf(caller, webhookId);
    if (!webhook.enabled) throw new CastellanError('WRONG_STATE', 'The webhook is disabled; enable it first.');
    return webhook;
  }

  async function test(caller: Caller, webhookId: string): Promise<Delivery> {
    const webhook = await webhookOf(caller, webhookId);
    const now = clock.now();
    const eventId = newId('event');
    const { userId, connectionId } = webhook;
    const event = { _id: eventId, type: 'webhook.test', connectionId } as const;
    const delivery = newDelivery({ webhookId, userId }, event, now);
    const data = { webhookId };
    await store.atomically([
      events.write({ eventId, type: 'webhook.test', userId, connectionId, epoch: null, occurredAt: now, data }),
      ...insertDelivery(delivery, now),
    ]);
    events.committed();
    await attemptNow(delivery);
    return deliveryView(found(await deliveries.findOne({ _id: delivery._id })));
  }

  /** @returns whether it began; false = it is pending or was deleted */
  async function beginRound(delivery: DeliveryDoc): Promise<boolean> {
    const now = clock.now();
    const fresh: DeliveryDoc = { ...delivery, jobId: newId('job') };
    try {
      await store.atomically([
        {
          op: 'update',
          collection: DELIVERIES,
          filter: { _id: delivery._id, status: { $in: ['succeeded', 'failed'] }, jobId: delivery.jobId },
          update: {
            $set: {
              status: 'pending',
              jobId: fresh.jobId,
              tries: 0,
              claimedAt: null,
              nextAttemptAt: now,
              updatedAt: now,
            },
          },
        },
        { op: 'insert', collection: JOBS, doc: newJob(fresh, now) },
        {
          op: 'update',
          collection: WEBHOOKS,
          filter: { _id: delivery.webhookId, enabled: true },
          update: { $inc: { wakeUps: 1 } },
        },
      ]);
      return true;
    } catch (error) {
      if (isErrorType(error, 'CONDITION_FAILED')) return false;
      throw error;
    }
  }

  async function redeliver(caller: Caller, webhookId: string, deliveryId: string): Promise<Delivery> {
    await enabledWebhookOf(caller, webhookId);
    const delivery = found(await deliveries.findOne({ _id: deliveryId, webhookId }));
    if (!(await beginRound(delivery))) throw new CastellanError('WRONG_STATE', 'The delivery is still pending.');
    onChange();
    return deliveryView(found(await deliveries.findOne({ _id: deliveryId })));
  }

  async function redeliverMany(caller: Caller, webhookId: string, which: RedeliverManyParams) {
    await enabledWebhookOf(caller, webhookId);
    const filter: Filter = { webhookId, status: which.status ?? 'failed', createdAt: madeBetween(which) };
    let redelivered = 0;
    let after: string | undefined;
    // By place in the list, not by what is left: one that fails again meanwhile is not begun twice.
    for (;;) {
      const { items, next } = await listByCursor(deliveries, { filter, limit: BATCH_SIZE, after });
      for (const delivery of items) if (await beginRound(delivery)) redelivered += 1;
      onChange();
      if (next === null) return { redelivered };
      after = next;
    }
  }

  /** `from` inclusive, `to` exclusive; at the latest now, so that the list ends. */
  function madeBetween({ from, to }: RedeliverManyParams): { $gte: number; $lt: number } {
    const now = clock.now() + 1;
    return { $gte: from === undefined ? 0 : toTime('from', from), $lt: to === undefined ? now : toTime('to', to) };
  }

  return {
    test,
    redeliver,
    redeliverMany,
    async list(caller, webhookId, { status, ...page }) {
      await webhookOf(caller, webhookId);
      const filter = { webhookId, ...(status === undefined ? {} : { status }) };
      return findPage(deliveries, filter, 'createdAt', page, deliveryView);
    },
  };
}

function toTime(field: string, value: string): number {
  const time = Date.parse(value);
  if (Number.isNaN(time)) throw new CastellanError('BAD_REQUEST', `"${field}" is not a time.`);
  return time;
}
