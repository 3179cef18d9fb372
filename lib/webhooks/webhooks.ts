import type { Clock } from '../clock.ts';
import type { Caller } from '../contracts/action.ts';
import type { Webhook } from '../contracts/entities.ts';
import { found, scopeFilter } from '../contracts/scope.ts';
import type { CreateWebhookParams, UpdateWebhookParams } from '../contracts/webhooks.contract.ts';
import { CastellanError, isErrorType } from '../errors.ts';
import { decodeCursor } from '../events/cursor.ts';
import type { EventLog } from '../events/event-log.port.ts';
import { reservedId } from '../ids.ts';
import type { ConnectionDoc, WebhookDoc } from '../storage/collections.ts';
import type { Filter, Store } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';
import { endPendingDeliveries, purgeWebhook } from './cleanup.ts';
import { WEBHOOKS } from './delivery-rows.ts';
import { checkHeaders } from './header-rules.ts';
import { MAX_WEBHOOKS_PER_USER } from './options.ts';
import { createSecret, parseSecret } from './signing.ts';
import { parseTarget, type TargetRules } from './target-address.ts';
import { openSecret, sealHeaders, sealSecret, webhookView } from './webhook-rows.ts';

export interface WebhooksDeps extends TargetRules {
  store: Store;
  vault: Vault;
  events: EventLog;
  clock: Clock;
  /** a webhook was changed: whoever delivers looks now */
  onChange: () => void;
}

/** The webhooks of a tenant, as its requests change them. A foreign one is NOT_FOUND. */
export interface Webhooks {
  /**
   * Everything that is committed from now on is delivered. A webhook belongs to who made it; one for a single
   * connection to that connection's owner.
   * @returns it with its secret, the only time
   * @throws NOT_FOUND (the connection), BAD_REQUEST, TARGET_FORBIDDEN, QUOTA_EXCEEDED
   */
  create(caller: Caller, params: CreateWebhookParams, reservedUlid?: string): Promise<Webhook>;
  /** Enabling begins from now. Disabling ends what is pending. @throws NOT_FOUND, BAD_REQUEST, TARGET_FORBIDDEN */
  update(caller: Caller, webhookId: string, change: UpdateWebhookParams): Promise<Webhook>;
  /** Deletes it with its deliveries. @throws NOT_FOUND */
  remove(caller: Caller, webhookId: string): Promise<Webhook>;
}

/** What a caller can see of the collection. */
export function visibleWebhooks(caller: Caller): Filter {
  return { ...scopeFilter(caller), deletedAt: null };
}

export function createWebhooks(deps: WebhooksDeps): Webhooks {
  const { store, vault, events, clock, allowPrivateTargets, onChange } = deps;
  const webhooks = store.collection<WebhookDoc>(WEBHOOKS);

  /** @returns who the webhook belongs to */
  async function ownerOf(caller: Caller, connectionId: string | null): Promise<string> {
    if (connectionId === null) return caller.userId;
    const filter = { _id: connectionId, deletedAt: null, ...scopeFilter(caller) };
    return found(await store.collection<ConnectionDoc>('connections').findOne(filter)).userId;
  }

  async function create(caller: Caller, params: CreateWebhookParams, reservedUlid?: string): Promise<Webhook> {
    const connectionId = params.connectionId ?? null;
    parseTarget(params.url, { allowPrivateTargets });
    const headers = checkHeaders(params.headers ?? {});
    const secret = params.secret ?? createSecret();
    parseSecret(secret);
    const userId = await ownerOf(caller, connectionId);
    const _id = reservedId('webhook', reservedUlid);
    const repeated = reservedUlid === undefined ? null : await webhooks.findOne({ _id });
    if (repeated) return withSecret(repeated);
    const owned = await webhooks.count({ userId, deletedAt: null });
    if (owned >= MAX_WEBHOOKS_PER_USER) {
      throw new CastellanError('QUOTA_EXCEEDED', `A user has at most ${MAX_WEBHOOKS_PER_USER} webhooks.`);
    }
    const now = clock.now();
    const doc: WebhookDoc = {
      _id,
      userId,
      connectionId,
      everyTenant: caller.role === 'admin' && connectionId === null,
      url: params.url,
      enabled: params.enabled ?? true,
      disabledReason: null,
      eventTypes: params.eventTypes,
      secret: sealSecret(vault, _id, secret),
      ...sealHeaders(vault, _id, headers),
      cursor: decodeCursor(await events.head()),
      wakeUps: 0,
      deletedAt: null,
      createdAt: now,
      updatedAt: now,
    };
    return withSecret(await insert(doc));
  }

  /** A repeat, after a crash, of a request whose row was already written, meets that row. */
  async function insert(doc: WebhookDoc): Promise<WebhookDoc> {
    try {
      await webhooks.insertOne(doc);
      onChange();
      return doc;
    } catch (error) {
      if (!isErrorType(error, 'DUPLICATE_KEY')) throw error;
      return found(await webhooks.findOne({ _id: doc._id }));
    }
  }

  function withSecret(doc: WebhookDoc): Webhook {
    return { ...webhookView(doc), secret: openSecret(vault, doc) };
  }

  async function update(caller: Caller, webhookId: string, change: UpdateWebhookParams): Promise<Webhook> {
    const scope = { _id: webhookId, ...visibleWebhooks(caller) };
    const before = found(await webhooks.findOne(scope));
    const $set = await toFields(caller, before, change);
    // The state that was enabled from is part of the condition: of two requests that enable, one moves the cursor.
    const condition = change.enabled === undefined ? {} : { enabled: before.enabled };
    const after = await webhooks.findOneAndUpdate({ ...scope, ...condition }, { $set });
    if (after === null) return update(caller, webhookId, change);
    if (!after.enabled) await endPendingDeliveries(store, clock, webhookId);
    onChange();
    return webhookView(after);
  }

  async function toFields(
    caller: Caller,
    before: WebhookDoc,
    change: UpdateWebhookParams,
  ): Promise<Partial<WebhookDoc>> {
    const { connectionId, url, enabled, eventTypes, secret, headers } = change;
    if (url !== undefined) parseTarget(url, { allowPrivateTargets });
    if (secret !== undefined) parseSecret(secret);
    if (connectionId && (await ownerOf(caller, connectionId)) !== before.userId) throw new CastellanError('NOT_FOUND');
    const enables = enabled === true && !before.enabled;
    return {
      updatedAt: clock.now(),
      ...(connectionId === undefined ? {} : { connectionId }),
      ...(connectionId ? { everyTenant: false } : {}),
      ...(url === undefined ? {} : { url }),
      ...(eventTypes === undefined ? {} : { eventTypes }),
      ...(secret === undefined ? {} : { secret: sealSecret(vault, before._id, secret) }),
      ...(headers === undefined ? {} : sealHeaders(vault, before._id, checkHeaders(headers))),
      ...(enabled === undefined ? {} : { enabled, disabledReason: null }),
      ...(enables ? { cursor: decodeCursor(await events.head()) } : {}),
    };
  }

  async function remove(caller: Caller, webhookId: string): Promise<Webhook> {
    const now = clock.now();
    const doc = found(
      await webhooks.findOneAndUpdate(
        { _id: webhookId, ...visibleWebhooks(caller) },
        { $set: { enabled: false, deletedAt: now, updatedAt: now } },
      ),
    );
    onChange();
    await purgeWebhook(store, clock, webhookId);
    return webhookView(doc);
  }

  return { create, update, remove };
}
