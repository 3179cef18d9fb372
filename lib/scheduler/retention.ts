import type { Clock } from '../clock.ts';
import type { WebhookDoc } from '../storage/collections.ts';
import type { Doc, Filter, Store } from '../storage/port.ts';

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;

/** How long rows are kept that nothing needs any more, ms. Messages are the tenant's and are kept until it deletes them. */
export interface Retention {
  /** the event log: how far back a client or a webhook can go; default 30 days */
  eventsMs: number;
  /** deliveries that ended, with their attempts; default 30 days */
  deliveriesMs: number;
  /** QueueJobs that ended; default 30 days */
  jobsMs: number;
  /** activations that ended; default 30 days */
  workersMs: number;
  /** status changes of connections; default 90 days */
  historyMs: number;
  /** heartbeats of nodes that are gone; one that lives and was taken for gone comes back with its next. Default 1 hour */
  nodesMs: number;
}

export const DEFAULT_RETENTION: Retention = {
  eventsMs: 30 * DAY_MS,
  deliveriesMs: 30 * DAY_MS,
  jobsMs: 30 * DAY_MS,
  workersMs: 30 * DAY_MS,
  historyMs: 90 * DAY_MS,
  nodesMs: HOUR_MS,
};

const BATCH_SIZE = 500;
const ENDED_JOBS = ['completed', 'failed', 'cancelled'];

export interface PruneDeps {
  store: Store;
  clock: Clock;
  retention: Retention;
}

/**
 * Deletes what is older than its retention, a batch at a time so that other writes get their turn. An event that some
 * enabled webhook has not got to yet stays, however old.
 * @returns how many rows of each collection went
 */
export async function prune(
  { store, clock, retention }: PruneDeps,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const now = clock.now();
  const before = (ageMs: number) => ({ $lt: now - ageMs });
  const rules: [collection: string, filter: Filter][] = [
    ['events', { occurredAt: before(retention.eventsMs), position: { $lte: await lowestCursor(store) } }],
    ['deliveries', { createdAt: before(retention.deliveriesMs), status: { $in: ['succeeded', 'failed'] } }],
    ...['message.send', 'webhook.deliver'].map((jobType): [string, Filter] => [
      'jobs',
      { jobType, status: { $in: ENDED_JOBS }, runAt: before(retention.jobsMs) },
    ]),
    ['idempotency', { expiresAt: { $lt: now } }],
    ['dashboardSessions', { expiresAt: { $lt: now } }],
    ['workers', { status: 'ended', endedAt: before(retention.workersMs) }],
    ['connectionHistory', { at: before(retention.historyMs) }],
    ['nodes', { updatedAt: before(retention.nodesMs) }],
  ];
  const pruned: Record<string, number> = {};
  for (const [collection, filter] of rules) {
    const count = await deleteAll(store, collection, filter, signal);
    if (count > 0) pruned[collection] = (pruned[collection] ?? 0) + count;
  }
  return pruned;
}

async function lowestCursor(store: Store): Promise<number> {
  const webhooks = store.collection<WebhookDoc>('webhooks');
  const last = await webhooks.findOne({ enabled: true }, { sort: [['cursor', 1]] });
  return last?.cursor ?? Number.MAX_SAFE_INTEGER;
}

async function deleteAll(store: Store, name: string, filter: Filter, signal: AbortSignal): Promise<number> {
  const collection = store.collection<Doc>(name);
  let deleted = 0;
  while (!signal.aborted) {
    const batch = await collection.find(filter, { limit: BATCH_SIZE });
    if (batch.length === 0) break;
    // The filter again: a row may have begun a new life (a redelivery) since it was read.
    const gone = await collection.deleteMany({ ...filter, _id: { $in: batch.map((doc) => doc._id) } });
    deleted += gone;
    if (gone === 0 || batch.length < BATCH_SIZE) break;
  }
  return deleted;
}
