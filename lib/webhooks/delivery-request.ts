import type { CastellanEvent, DeliveryAttempt } from '../contracts/entities.ts';
import { errorType } from '../errors.ts';
import type { WebhookDoc } from '../storage/collections.ts';
import type { Vault } from '../storage/vault.ts';
import type { GuardedFetch } from './guarded-fetch.ts';
import { parseRetryAfterMs } from './retry-schedule.ts';
import { parseSecret, signatureHeaders } from './signing.ts';
import { openHeaders, openSecret } from './webhook-rows.ts';

/** A receiver's answer is its status; of the body only enough is read that it can end its side in peace. */
const MAX_RESPONSE_BYTES = 64 * 1_024;
const BODY_TIMEOUT_MS = 1_000;
const GONE = 410;

export interface DeliveryOutcome {
  /** as the API shows it */
  attempt: DeliveryAttempt;
  succeeded: boolean;
  /** the receiver wants no more of this webhook */
  gone: boolean;
  retryAfterMs: number | null;
}

export interface DeliveryRequestDeps {
  vault: Vault;
  fetch: GuardedFetch;
  now: () => number;
  monotonic: () => number;
  timeoutMs: number;
}

/**
 * Posts one event to one webhook, signed. Whatever goes wrong is part of the outcome.
 * The body is the event as the API lists it, made anew each time from the same row: the same bytes on every attempt.
 */
export async function postEvent(
  deps: DeliveryRequestDeps,
  webhook: WebhookDoc,
  event: CastellanEvent,
): Promise<DeliveryOutcome> {
  const startedAt = deps.now();
  const started = deps.monotonic();
  const end = (statusCode: number | null, error: string | null): DeliveryAttempt => ({
    at: new Date(startedAt).toISOString(),
    statusCode,
    durationMs: Math.round(deps.monotonic() - started),
    error,
  });
  try {
    const response = await send(deps, webhook, event, startedAt);
    const { statusCode } = response;
    const succeeded = statusCode >= 200 && statusCode < 300;
    return {
      attempt: end(statusCode, succeeded ? null : describeStatus(statusCode)),
      succeeded,
      gone: statusCode === GONE,
      retryAfterMs: succeeded ? null : parseRetryAfterMs(response.headers['retry-after'], deps.now()),
    };
  } catch (error) {
    return {
      attempt: end(null, describeError(error, deps.timeoutMs)),
      succeeded: false,
      gone: false,
      retryAfterMs: null,
    };
  }
}

function send(deps: DeliveryRequestDeps, webhook: WebhookDoc, event: CastellanEvent, now: number) {
  const body = JSON.stringify(event);
  const key = parseSecret(openSecret(deps.vault, webhook));
  const signed = signatureHeaders(key, { id: event.eventId, timestampS: Math.floor(now / 1_000), body });
  return deps.fetch({
    url: webhook.url,
    method: 'POST',
    headers: {
      'user-agent': 'Castellan-Webhooks',
      ...openHeaders(deps.vault, webhook),
      'content-type': 'application/json; charset=utf-8',
      ...signed,
    },
    body,
    timeoutMs: deps.timeoutMs,
    bodyTimeoutMs: BODY_TIMEOUT_MS,
    maxResponseBytes: MAX_RESPONSE_BYTES,
  });
}

function describeStatus(statusCode: number): string {
  if (statusCode >= 300 && statusCode < 400) return `The receiver answered ${statusCode}; redirects are not followed.`;
  return `The receiver answered ${statusCode}.`;
}

/** For the tenant's eyes: what happened, never an address that we resolved. */
function describeError(error: unknown, timeoutMs: number): string {
  if (errorType(error) === 'TARGET_FORBIDDEN') return 'The address is not allowed as a target.';
  const code = error instanceof Object && 'code' in error ? error.code : undefined;
  if (code === 'ETIMEDOUT') return `The receiver did not answer within ${timeoutMs} ms.`;
  return typeof code === 'string' ? `The request failed: ${code}.` : 'The request failed.';
}
