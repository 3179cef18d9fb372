import type { CastellanEvent, Delivery, DeliveryAttempt, Webhook } from '../../../lib/contracts/entities.ts';

/** What became of a delivery, for people. */
export interface DeliveryWords {
  label: string;
  tone: 'good' | 'bad' | 'busy';
}

/** An attempt under way has no time of its own; this is how soon it is worth looking again, ms. */
const LOOK_AGAIN_MS = 1_000;
/** A due attempt needs a moment to be made. */
const AFTER_DUE_MS = 400;

export function wordsFor({ status, attempts, nextAttemptAt }: Delivery): DeliveryWords {
  if (status === 'succeeded') return { label: 'Delivered', tone: 'good' };
  if (status === 'failed') return { label: attempts.length === 0 ? 'Given up' : 'Failed', tone: 'bad' };
  if (status !== 'pending') return { label: String(status), tone: 'busy' };
  if (nextAttemptAt === null) return { label: 'Being delivered', tone: 'busy' };
  return { label: attempts.length === 0 ? 'Waiting' : 'Will be tried again', tone: 'busy' };
}

/** @returns whether an event makes a delivery of this webhook; `webhook.test` goes to the one that is tested only */
export function isFor({ eventTypes, connectionId, webhookId }: Webhook, event: CastellanEvent): boolean {
  if (event.type === 'webhook.test') return (event.data as { webhookId?: string } | null)?.webhookId === webhookId;
  if (connectionId !== null && event.connectionId !== connectionId) return false;
  return eventTypes.includes('*') || eventTypes.includes(event.type);
}

/** @returns when the list may look different by itself (ms since the epoch), or null where everything in it has ended */
export function nextLookAt(deliveries: readonly Delivery[], now: number): number | null {
  const times = deliveries.filter(({ status }) => status === 'pending').map((delivery) => dueAt(delivery, now));
  return times.length === 0 ? null : Math.max(Math.min(...times), now + LOOK_AGAIN_MS);
}

function dueAt({ nextAttemptAt }: Delivery, now: number): number {
  return nextAttemptAt === null ? now + LOOK_AGAIN_MS : Date.parse(nextAttemptAt) + AFTER_DUE_MS;
}

/** @returns the first page read anew, with the further pages that were loaded before behind it, each delivery once */
export function mergeDeliveries(known: readonly Delivery[], firstPage: readonly Delivery[]): Delivery[] {
  const fresh = new Map(firstPage.map((delivery) => [delivery.deliveryId, delivery]));
  const oldest = firstPage.at(-1)?.deliveryId;
  const further = known.filter(
    ({ deliveryId }) => !fresh.has(deliveryId) && oldest !== undefined && deliveryId < oldest,
  );
  return [...firstPage, ...further];
}

const BY_STATUS_CODE: Readonly<Record<number, string>> = {
  400: 'The receiver did not understand the body. Look at its log.',
  401: 'The receiver did not accept it. Check that it verifies with this webhook’s secret, and any headers it asks for.',
  403: 'The receiver did not accept it. Check that it verifies with this webhook’s secret, and any headers it asks for.',
  404: 'There is nothing at this path. Check the URL.',
  405: 'The path takes no POST. Check the URL.',
  408: 'The receiver was too slow. Let it answer first and work afterwards.',
  410: 'The receiver wants no more: Castellan has turned the webhook off. Enable it when the receiver is back.',
  413: 'The receiver takes no body of this size.',
  429: 'The receiver was asked too often; Castellan waits as long as it says.',
};

const BY_ERROR: readonly (readonly [RegExp, string])[] = [
  [/did not answer within/, 'Let the receiver answer first and work afterwards.'],
  [/not allowed as a target/, 'Private and loopback addresses need ALLOW_PRIVATE_TARGETS=true, for development.'],
  [/ECONNREFUSED/, 'Nothing listens there. Start the receiver, or check host and port.'],
  [/ENOTFOUND|EAI_AGAIN/, 'The host’s name was not found. Check the URL.'],
  [/ECONNRESET|EPIPE/, 'The receiver closed the connection before it answered.'],
  [/CERT|TLS|SSL|SELF_SIGNED|ALTNAME/, 'The receiver’s certificate is not valid for this host.'],
];

/** @returns what to do about an attempt that failed, or null where there is nothing to advise */
export function adviceForAttempt({ statusCode, error }: DeliveryAttempt): string | null {
  if (statusCode !== null) {
    if (statusCode >= 200 && statusCode < 300) return null;
    if (statusCode >= 300 && statusCode < 400)
      return 'Give the address that it redirects to: redirects are not followed.';
    return BY_STATUS_CODE[statusCode] ?? (statusCode >= 500 ? 'The receiver failed. Look at its log.' : null);
  }
  return BY_ERROR.find(([pattern]) => pattern.test(error ?? ''))?.[1] ?? null;
}
