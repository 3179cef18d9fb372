import { type Clock, isoTime } from '../clock.ts';
import type { DeliveryAttempt, JobStatus } from '../contracts/entities.ts';
import { isErrorType } from '../errors.ts';
import type { EventLog } from '../events/event-log.port.ts';
import type { Log } from '../log.ts';
import type { DeliveryDoc, JobDoc, WebhookDoc } from '../storage/collections.ts';
import type { Store, Update, Write } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';
import { type DeliveryOutcome, postEvent } from './delivery-request.ts';
import { DELIVERIES, JOBS, WEBHOOKS } from './delivery-rows.ts';
import type { GuardedFetch } from './guarded-fetch.ts';
import type { DeliveryOptions } from './options.ts';
import { nextDelayMs } from './retry-schedule.ts';

export interface AttemptDeps {
  store: Store;
  vault: Vault;
  events: EventLog;
  clock: Clock;
  log: Log;
  fetch: GuardedFetch;
  options: DeliveryOptions;
}

/**
 * One attempt of one delivery: claim, post, settle. Delivery and QueueJob change together.
 *
 * The claim moves `nextAttemptAt` to the end of a lease. If the process dies in between, the delivery is due again then
 * and the attempt whose end nobody saw is listed as such. The result counts only while the claim holds, so of two
 * processes that hold one for another's abandoned, one settles.
 *
 * @returns when the next attempt is due (ms), or null when there is none (or it is somebody else's)
 */
export type Attempt = (delivery: DeliveryDoc) => Promise<number | null>;

export function createAttempt(deps: AttemptDeps): Attempt {
  const { store, events, clock, log, options } = deps;
  const webhooks = store.collection<WebhookDoc>(WEBHOOKS);

  /** @returns whether the group was written; false = another claim or a request was there first */
  async function write(writes: readonly Write[]): Promise<boolean> {
    try {
      await store.atomically(writes);
      return true;
    } catch (error) {
      if (isErrorType(error, 'CONDITION_FAILED')) return false;
      throw error;
    }
  }

  async function claim(delivery: DeliveryDoc, now: number): Promise<boolean> {
    const leaseEnd = now + options.leaseMs;
    const claimed = await write([
      {
        op: 'update',
        collection: DELIVERIES,
        filter: { _id: delivery._id, status: 'pending', nextAttemptAt: delivery.nextAttemptAt },
        update: {
          $set: { claimedAt: now, nextAttemptAt: leaseEnd, updatedAt: now },
          ...(delivery.claimedAt === null ? {} : { $push: { attempts: abandoned(delivery.claimedAt, now) } }),
        },
      },
      {
        op: 'update',
        collection: JOBS,
        filter: { _id: delivery.jobId, status: { $in: ['pending', 'processing'] } },
        update: { $set: { status: 'processing', runAt: leaseEnd, updatedAt: now }, $inc: { attempts: 1 } },
      },
    ]);
    if (!claimed) await endCancelled(delivery, now);
    return claimed;
  }

  /** A job that was cancelled through the API, or is gone, takes its delivery with it. */
  async function endCancelled(delivery: DeliveryDoc, now: number): Promise<void> {
    const job = await store.collection<JobDoc>(JOBS).findOne({ _id: delivery.jobId });
    if (job?.status === 'pending' || job?.status === 'processing') return;
    const filter = { _id: delivery._id, jobId: delivery.jobId, status: 'pending' };
    await store.collection<DeliveryDoc>(DELIVERIES).updateOne(filter, { $set: ended('failed', now) });
  }

  async function settle(delivery: DeliveryDoc, claimedAt: number, outcome: Settlement): Promise<boolean> {
    const { attempt, retryAt, jobStatus, error } = outcome;
    const now = clock.now();
    const pending = retryAt !== null;
    const $set: Update['$set'] = pending
      ? { claimedAt: null, nextAttemptAt: retryAt, updatedAt: now }
      : ended(jobStatus === 'completed' ? 'succeeded' : 'failed', now);
    return write([
      {
        op: 'update',
        collection: DELIVERIES,
        filter: { _id: delivery._id, status: 'pending', claimedAt },
        update: { $set, ...(attempt ? { $push: { attempts: attempt } } : {}), $inc: { tries: 1 } },
      },
      {
        op: 'update',
        collection: JOBS,
        filter: { _id: delivery.jobId },
        update: { $set: { status: jobStatus, error, updatedAt: now, ...(pending ? { runAt: retryAt } : {}) } },
        expect: 'any',
      },
      ...(outcome.more ?? []),
    ]);
  }

  function toSettlement(delivery: DeliveryDoc, webhook: WebhookDoc, outcome: DeliveryOutcome): Settlement {
    const { attempt, succeeded, gone, retryAfterMs } = outcome;
    if (succeeded) return { attempt, retryAt: null, jobStatus: 'completed', error: null };
    const isTest = delivery.eventType === 'webhook.test';
    const delayMs = gone || isTest ? null : nextDelayMs(options.schedule, delivery.tries + 1, retryAfterMs);
    const error = { type: 'DELIVERY_FAILED', message: attempt.error ?? '' };
    if (delayMs !== null) return { attempt, retryAt: clock.now() + delayMs, jobStatus: 'pending', error };
    return { attempt, retryAt: null, jobStatus: 'failed', error, more: gone ? disable(webhook) : [] };
  }

  /** 410: the receiver wants no more. Only where it still is the address that said so. */
  function disable(webhook: WebhookDoc): Write[] {
    if (!webhook.enabled) return [];
    const reason = 'The receiver answered 410 Gone.';
    const now = clock.now();
    return [
      {
        op: 'update',
        collection: WEBHOOKS,
        filter: { _id: webhook._id, enabled: true, url: webhook.url },
        update: { $set: { enabled: false, disabledReason: reason, updatedAt: now } },
      },
      events.write({
        type: 'webhook.disabled',
        userId: webhook.userId,
        connectionId: webhook.connectionId,
        epoch: null,
        data: { webhookId: webhook._id, url: webhook.url, reason },
      }),
    ];
  }

  async function settleAll(delivery: DeliveryDoc, claimedAt: number, settlement: Settlement): Promise<number | null> {
    if (await settle(delivery, claimedAt, settlement)) {
      if (settlement.more?.length) events.committed();
      return settlement.retryAt;
    }
    // Either the claim is gone, then this fails again, or the webhook was changed meanwhile: settle without disabling it.
    if (settlement.more?.length && (await settle(delivery, claimedAt, { ...settlement, more: [] }))) return null;
    log.debug({ deliveryId: delivery._id }, 'the claim of a delivery was lost');
    return null;
  }

  return async (delivery) => {
    const webhook = await webhooks.findOne({ _id: delivery.webhookId });
    const now = clock.now();
    if (!(await claim(delivery, now))) return null;
    const event = await events.get(delivery.eventId);
    const refusal = whyNot(delivery, webhook, event !== null);
    if (refusal !== null || !webhook || !event) {
      const error = { type: 'DELIVERY_FAILED', message: refusal ?? '' };
      await settle(delivery, now, { attempt: null, retryAt: null, jobStatus: 'cancelled', error });
      return null;
    }
    const timing = { now: () => clock.now(), monotonic: () => clock.monotonic(), timeoutMs: options.timeoutMs };
    const outcome = await postEvent({ ...deps, ...timing }, webhook, event);
    return settleAll(delivery, now, toSettlement(delivery, webhook, outcome));
  };
}

interface Settlement {
  attempt: DeliveryAttempt | null;
  retryAt: number | null;
  jobStatus: JobStatus;
  error: { type: string; message: string } | null;
  /** written in the same group */
  more?: Write[];
}

function ended(status: DeliveryDoc['status'], now: number): Record<string, unknown> {
  return { status, claimedAt: null, nextAttemptAt: null, updatedAt: now };
}

function abandoned(claimedAt: number, now: number): DeliveryAttempt {
  const error = 'The process ended during this attempt; whether the receiver got it is not known.';
  return { at: isoTime(claimedAt), statusCode: null, durationMs: Math.max(0, now - claimedAt), error };
}

/** A test is sent to a disabled webhook too: that is how one finds out whether it can be enabled again. */
function whyNot(delivery: DeliveryDoc, webhook: WebhookDoc | null, eventKept: boolean): string | null {
  if (!webhook || webhook.deletedAt !== null) return 'The webhook was deleted.';
  if (!webhook.enabled && delivery.eventType !== 'webhook.test') return 'The webhook is disabled.';
  return eventKept ? null : 'The event is no longer kept.';
}
