import type { Clock } from '../clock.ts';
import { isErrorType } from '../errors.ts';
import { EVENTS_COLLECTION } from '../events/event-log.ts';
import type { DeliveryDoc, EventDoc, WebhookDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import { DELIVERIES, insertDelivery, newDelivery, WEBHOOKS } from './delivery-rows.ts';
import type { EventRow, RegisteredWebhook, WebhookRegistry } from './registry.ts';

export interface DispatcherDeps {
  store: Store;
  clock: Clock;
  registry: WebhookRegistry;
  /** deliveries of this webhook were made */
  onDeliveries: (webhookId: string) => void;
}

/**
 * Turns events into deliveries. The log is read once for all webhooks, from the lowest of their cursors on; each
 * webhook's matching events become Delivery and QueueJob rows in one atomic group with its cursor. After a crash the
 * group is there with the cursor or neither is, so no event is left out; (webhook, event) is unique, so none is doubled,
 * even by two dispatchers at once. Cursors of webhooks that nothing matched are stored now and then: going over the same
 * events again makes nothing.
 */
export interface Dispatcher {
  /** Reads one batch. @returns whether there is more at once. @throws STORE_UNAVAILABLE; the next call repeats it */
  round(): Promise<boolean>;
  /** Loads the enabled webhooks. */
  reload(): Promise<void>;
  /** Stores how far the log was read. */
  saveCursors(): Promise<void>;
}

const BATCH_SIZE = 200;
const IDS_PER_UPDATE = 500;

export function createDispatcher({ store, clock, registry, onDeliveries }: DispatcherDeps): Dispatcher {
  const webhooks = store.collection<WebhookDoc>(WEBHOOKS);
  const deliveries = store.collection<DeliveryDoc>(DELIVERIES);
  const events = store.collection<EventDoc>(EVENTS_COLLECTION);
  let savedUpTo = 0;

  async function reload(): Promise<void> {
    const enabled = await webhooks.find({ enabled: true, deletedAt: null });
    for (const webhookId of registry.load(enabled)) onDeliveries(webhookId);
  }

  async function round(): Promise<boolean> {
    const from = registry.lowestCursor();
    if (from === null) return false;
    const batch = await events.find({ position: { $gt: from } }, { sort: [['position', 1]], limit: BATCH_SIZE });
    const upTo = batch.at(-1)?.position;
    if (upTo === undefined) return false;
    const refused = new Set<RegisteredWebhook>();
    for (const [webhook, matching] of registry.match(batch)) {
      if (await deliver(webhook, matching, upTo)) onDeliveries(webhook.webhookId);
      else refused.add(webhook);
    }
    for (const webhook of registry.all()) {
      if (!refused.has(webhook)) webhook.cursor = Math.max(webhook.cursor, upTo);
    }
    // A refusal means that the webhook was changed or that another dispatcher was there: its row says which.
    if (refused.size > 0) await reload();
    return refused.size > 0 || batch.length === BATCH_SIZE;
  }

  /** @returns false when the webhook's row is not as the registry has it */
  async function deliver(webhook: RegisteredWebhook, matching: EventRow[], upTo: number): Promise<boolean> {
    try {
      await write(webhook, matching, upTo);
      return true;
    } catch (error) {
      if (isErrorType(error, 'CONDITION_FAILED')) return false;
      if (!isErrorType(error, 'DUPLICATE_KEY')) throw error;
    }
    const eventId = { $in: matching.map((event) => event._id) };
    const made = await deliveries.find({ webhookId: webhook.webhookId, eventId });
    const madeIds = new Set(made.map((delivery) => delivery.eventId));
    try {
      await write(
        webhook,
        matching.filter((event) => !madeIds.has(event._id)),
        upTo,
      );
      return true;
    } catch (error) {
      if (isErrorType(error, 'CONDITION_FAILED', 'DUPLICATE_KEY')) return false;
      throw error;
    }
  }

  async function write(webhook: RegisteredWebhook, matching: EventRow[], upTo: number): Promise<void> {
    const now = clock.now();
    await store.atomically([
      {
        op: 'update',
        collection: WEBHOOKS,
        filter: { _id: webhook.webhookId, enabled: true, deletedAt: null, cursor: { $lte: webhook.cursor } },
        update: { $set: { cursor: upTo } },
      },
      ...matching.flatMap((event) => insertDelivery(newDelivery(webhook, event, now), now)),
    ]);
  }

  async function saveCursors(): Promise<void> {
    const reached = registry.lowestCursor();
    if (reached === null || reached <= savedUpTo) return;
    const ids = [...registry.all()].map((webhook) => webhook.webhookId);
    for (let at = 0; at < ids.length; at += IDS_PER_UPDATE) {
      const some = ids.slice(at, at + IDS_PER_UPDATE);
      await webhooks.updateMany({ _id: { $in: some }, enabled: true }, { $max: { cursor: reached } });
    }
    savedUpTo = reached;
  }

  return { round, reload, saveCursors };
}
