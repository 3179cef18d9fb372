import { defineActions } from './action.ts';
import { type Delivery, EVENT_TYPES, type EventType, type Page, type Webhook } from './entities.ts';
import { id, oneOf, optional, type PageParams, page } from './params.ts';

export type EventSelection = EventType | '*';
export type DeliveryStatus = Delivery['status'];

export interface CreateWebhookParams {
  connectionId?: string;
  url: string;
  enabled?: boolean;
  eventTypes: EventSelection[];
  secret?: string;
  headers?: Record<string, string>;
}

export interface UpdateWebhookParams {
  connectionId?: string | null;
  url?: string;
  enabled?: boolean;
  eventTypes?: EventSelection[];
  secret?: string;
  headers?: Record<string, string>;
}

interface ById {
  webhookId: string;
}

export interface RedeliverManyParams {
  status?: DeliveryStatus;
  /** when the delivery was made, ISO 8601; `from` inclusive, `to` exclusive */
  from?: string;
  to?: string;
}

export interface WebhooksActions {
  create: { params: CreateWebhookParams; result: Webhook };
  list: { params: PageParams; result: Page<Webhook> };
  get: { params: ById; result: Webhook };
  update: { params: ById & UpdateWebhookParams; result: Webhook };
  remove: { params: ById; result: Webhook };
  test: { params: ById; result: Delivery };
  deliveries: { params: ById & PageParams & { status?: DeliveryStatus }; result: Page<Delivery> };
  redeliver: { params: ById & { deliveryId: string }; result: Delivery };
  redeliverMany: { params: ById & RedeliverManyParams; result: { redelivered: number } };
}

const webhookId = id('webhook');
const connectionId = id('connection');
const url = { type: 'string', min: 1, max: 2_048 } as const;
const enabled = { type: 'boolean' } as const;
const eventTypes = {
  type: 'array',
  min: 1,
  max: EVENT_TYPES.length,
  unique: true,
  items: oneOf(['*', ...EVENT_TYPES]),
} as const;
const secret = { type: 'string', min: 38, max: 94, pattern: /^whsec_[A-Za-z0-9+/]+={0,2}$/ } as const;
const headers = {
  type: 'record',
  key: { type: 'string', min: 1, max: 64 },
  value: { type: 'string', max: 1_024 },
} as const;
const time = { type: 'string', pattern: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/ } as const;
const deliveryStatus = oneOf(['pending', 'succeeded', 'failed']);

export const webhooksContract = defineActions({
  create: {
    name: 'webhooks.create',
    summary: 'Create a webhook; its secret is shown in this answer only',
    rest: 'POST /webhook/create',
    auth: 'user',
    params: {
      connectionId: optional(connectionId),
      url,
      enabled: optional(enabled),
      eventTypes,
      secret: optional(secret),
      headers: optional(headers),
    },
    status: 201,
    result: 'Webhook',
    errors: ['TARGET_FORBIDDEN', 'QUOTA_EXCEEDED'],
    idempotent: true,
  },
  list: {
    name: 'webhooks.list',
    summary: 'List webhooks, newest first',
    rest: 'GET /webhook/list',
    auth: 'user',
    params: { ...page },
    query: ['limit', 'after'],
    result: 'WebhookPage',
  },
  get: {
    name: 'webhooks.get',
    summary: 'Get a webhook',
    rest: 'GET /webhook/:webhookId',
    auth: 'user',
    params: { webhookId },
    result: 'Webhook',
  },
  update: {
    name: 'webhooks.update',
    summary: 'Change a webhook; disabling it ends its pending deliveries, enabling it starts from now',
    rest: 'PATCH /webhook/:webhookId',
    auth: 'user',
    params: {
      webhookId,
      connectionId: { ...connectionId, optional: true, nullable: true },
      url: optional(url),
      enabled: optional(enabled),
      eventTypes: optional(eventTypes),
      secret: optional(secret),
      headers: optional(headers),
    },
    result: 'Webhook',
    errors: ['TARGET_FORBIDDEN'],
  },
  remove: {
    name: 'webhooks.remove',
    summary: 'Delete a webhook and its deliveries',
    rest: 'DELETE /webhook/:webhookId',
    auth: 'user',
    params: { webhookId },
    result: 'Webhook',
  },
  test: {
    name: 'webhooks.test',
    summary: 'Send a webhook.test event to this webhook alone, once, and answer what came of it',
    rest: 'POST /webhook/:webhookId/test',
    auth: 'user',
    params: { webhookId },
    result: 'Delivery',
  },
  deliveries: {
    name: 'webhooks.deliveries',
    summary: 'List the deliveries of a webhook with their attempts, newest first',
    rest: 'GET /webhook/:webhookId/deliveries',
    auth: 'user',
    params: { webhookId, status: optional(deliveryStatus), ...page },
    query: ['status', 'limit', 'after'],
    result: 'DeliveryPage',
  },
  redeliver: {
    name: 'webhooks.redeliver',
    summary: 'Deliver once more, with the same webhook-id and body',
    rest: 'POST /webhook/:webhookId/deliveries/:deliveryId/redeliver',
    auth: 'user',
    params: { webhookId, deliveryId: id('delivery') },
    status: 202,
    result: 'Delivery',
    errors: ['WRONG_STATE'],
  },
  redeliverMany: {
    name: 'webhooks.redeliverMany',
    summary:
      'Deliver once more what ended: failed ones (default) or those of another status, by the time they were made',
    rest: 'POST /webhook/:webhookId/redeliver',
    auth: 'user',
    params: {
      webhookId,
      status: optional(oneOf(['succeeded', 'failed'])),
      from: optional(time),
      to: optional(time),
    },
    status: 202,
    result: 'Redelivered',
    errors: ['WRONG_STATE'],
  },
});
