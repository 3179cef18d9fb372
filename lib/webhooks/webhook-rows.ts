import { isoTime } from '../clock.ts';
import type { Webhook } from '../contracts/entities.ts';
import type { WebhookDoc } from '../storage/collections.ts';
import type { Vault } from '../storage/vault.ts';

/** What a webhook keeps encrypted. The context binds a sealed value to its row and field. */
export function sealSecret(vault: Vault, webhookId: string, secret: string): Uint8Array {
  return vault.seal(secret, `${webhookId}:secret`);
}

/** @throws SESSION_QUARANTINED when the ENCRYPTION_KEY is another one */
export function openSecret(vault: Vault, doc: WebhookDoc): string {
  return vault.open(doc.secret, `${doc._id}:secret`).toString('utf8');
}

export function sealHeaders(
  vault: Vault,
  webhookId: string,
  headers: Record<string, string>,
): Pick<WebhookDoc, 'headers' | 'headerNames'> {
  const headerNames = Object.keys(headers);
  const sealed = headerNames.length > 0 ? vault.sealJson(headers, `${webhookId}:headers`) : null;
  return { headers: sealed, headerNames };
}

/** @throws SESSION_QUARANTINED when the ENCRYPTION_KEY is another one */
export function openHeaders(vault: Vault, doc: WebhookDoc): Record<string, string> {
  return doc.headers === null ? {} : vault.openJson<Record<string, string>>(doc.headers, `${doc._id}:headers`);
}

/** The outward form, without secret and header values. */
export function webhookView(doc: WebhookDoc): Webhook {
  return {
    webhookId: doc._id,
    userId: doc.userId,
    connectionId: doc.connectionId,
    url: doc.url,
    enabled: doc.enabled,
    disabledReason: doc.disabledReason,
    eventTypes: doc.eventTypes,
    headers: doc.headerNames,
    createdAt: isoTime(doc.createdAt),
    updatedAt: isoTime(doc.updatedAt),
  };
}
