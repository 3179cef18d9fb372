import { AUTH_STATES, CONNECTION_STATUSES, EVENT_TYPES, JOB_STATUSES, MESSAGE_STATUSES } from './entities.ts';

/**
 * JSON Schemas (2020-12) of everything that the API answers with, by the names that contracts use in `result`. Tests
 * hold real answers to them. Enumerations of states are documented, not closed: clients must bear new values, but what
 * we answer today is checked against them.
 */
export type JsonSchema = Record<string, unknown>;

const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
const string: JsonSchema = { type: 'string' };
const integer: JsonSchema = { type: 'integer' };
const boolean: JsonSchema = { type: 'boolean' };
const time: JsonSchema = { type: 'string', format: 'date-time' };
const strings: JsonSchema = { type: 'array', items: string };
const anyObject: JsonSchema = { type: 'object', additionalProperties: true };
const oneOfValues = (values: readonly string[]): JsonSchema => ({ type: 'string', enum: [...values] });

function nullable(schema: JsonSchema): JsonSchema {
  return typeof schema.type === 'string' && !schema.enum
    ? { ...schema, type: [schema.type, 'null'] }
    : { anyOf: [schema, { type: 'null' }] };
}

/** Every property is always there, except those named in `sometimes`. */
function object(properties: Record<string, JsonSchema>, sometimes: readonly string[] = []): JsonSchema {
  const required = Object.keys(properties).filter((name) => !sometimes.includes(name));
  return { type: 'object', properties, required, additionalProperties: false };
}

const pageOf = (name: string): JsonSchema =>
  object({
    items: { type: 'array', items: ref(name) },
    next: { ...nullable(string), description: 'cursor for `after`' },
  });

const entities: Record<string, JsonSchema> = {
  Party: object({ id: string, lid: nullable(string), pn: nullable(string), name: nullable(string) }),
  User: object({
    userId: string,
    username: string,
    email: string,
    role: oneOfValues(['admin', 'user']),
    createdAt: time,
    updatedAt: time,
  }),
  ApiKey: object(
    {
      keyId: string,
      userId: string,
      name: nullable(string),
      createdAt: time,
      revokedAt: nullable(time),
      key: { ...string, description: 'the key itself, only in the answer that creates it' },
    },
    ['key'],
  ),
  DeviceInfo: {
    anyOf: [string, object({ os: string, browser: string, version: string }, ['os', 'browser', 'version'])],
  },
  Connection: object({
    connectionId: string,
    userId: string,
    name: nullable(string),
    status: oneOfValues(CONNECTION_STATUSES),
    statusReason: nullable(string),
    desiredState: oneOfValues(['running', 'stopped']),
    restrictions: {
      ...strings,
      description:
        '`new_chats`: WhatsApp refuses to open new chats. They wait; one is tried after 6 hours, then every 12 to 24, and at once after a start or restart',
    },
    degraded: boolean,
    me: nullable(ref('Party')),
    worker: nullable(object({ nodeId: string, epoch: integer })),
    deviceInfo: nullable(ref('DeviceInfo')),
    metadata: nullable(anyObject),
    createdAt: time,
    updatedAt: time,
  }),
  ConnectionHistoryEntry: object({
    status: oneOfValues(CONNECTION_STATUSES),
    previousStatus: nullable(oneOfValues(CONNECTION_STATUSES)),
    reason: nullable(string),
    code: nullable(integer),
    nodeId: nullable(string),
    epoch: nullable(integer),
    at: time,
  }),
  RemoteAuth: object(
    {
      authId: string,
      connectionId: string,
      authState: oneOfValues(AUTH_STATES),
      method: oneOfValues(['qr', 'code']),
      qr: { ...string, description: 'the raw string that the phone scans' },
      pairingCode: string,
      expiresAt: nullable(time),
    },
    ['qr', 'pairingCode'],
  ),
  PairingCode: object({ pairingCode: string, expiresAt: time }),
  MessageContent: {
    type: 'object',
    properties: { type: string },
    required: ['type'],
    additionalProperties: true,
    description: '`{type: "text", text}`; what is not understood is `{type: "unsupported", kind}`',
  },
  MessageError: object({ type: string, message: string, waCode: integer }, ['waCode']),
  Message: object({
    messageId: string,
    connectionId: string,
    userId: string,
    direction: oneOfValues(['inbound', 'outbound']),
    source: nullable(oneOfValues(['api', 'phone'])),
    chatId: string,
    from: ref('Party'),
    to: ref('Party'),
    content: ref('MessageContent'),
    status: oneOfValues(MESSAGE_STATUSES),
    error: nullable(ref('MessageError')),
    waMessageId: string,
    jobId: nullable(string),
    timestamp: time,
    createdAt: time,
    updatedAt: time,
  }),
  Chat: object({
    chatId: string,
    connectionId: string,
    name: nullable(string),
    lid: nullable(string),
    pn: nullable(string),
    lastMessage: ref('Message'),
    unread: integer,
  }),
  QueueJob: object({
    jobId: string,
    connectionId: nullable(string),
    userId: string,
    jobType: oneOfValues(['message.send', 'webhook.deliver']),
    status: oneOfValues(JOB_STATUSES),
    attempts: integer,
    runAt: time,
    subjectId: string,
    error: nullable(ref('MessageError')),
    createdAt: time,
    updatedAt: time,
  }),
  Webhook: object(
    {
      webhookId: string,
      userId: string,
      connectionId: nullable(string),
      url: string,
      enabled: boolean,
      disabledReason: nullable(string),
      eventTypes: strings,
      headers: { ...strings, description: 'names only: values may be secrets' },
      createdAt: time,
      updatedAt: time,
      secret: { ...string, description: '`whsec_` + base64, only in the answer that creates it' },
    },
    ['secret'],
  ),
  DeliveryAttempt: object({
    at: time,
    statusCode: nullable(integer),
    durationMs: { type: 'number' },
    error: nullable(string),
  }),
  Delivery: object({
    deliveryId: string,
    webhookId: string,
    eventId: string,
    eventType: string,
    status: oneOfValues(['pending', 'succeeded', 'failed']),
    attempts: { type: 'array', items: ref('DeliveryAttempt') },
    nextAttemptAt: nullable(time),
    createdAt: time,
  }),
  Event: object({
    eventId: string,
    type: oneOfValues(EVENT_TYPES),
    connectionId: nullable(string),
    userId: string,
    seq: integer,
    epoch: nullable(integer),
    occurredAt: time,
    data: {},
  }),
  Node: object({
    nodeId: string,
    incarnation: { ...string, description: 'new at every start of the process' },
    draining: boolean,
    connections: { ...integer, description: 'that run here' },
    open: { ...integer, description: 'of them: logged in' },
    memoryBytes: { ...integer, description: 'resident memory of the process' },
    messagesPerMinute: { ...integer, description: 'sent and received in the last 60 seconds' },
    startedAt: time,
    drainingSince: nullable(time),
  }),
  Worker: object({
    workerId: string,
    connectionId: string,
    nodeId: string,
    epoch: integer,
    status: oneOfValues(['live', 'ended']),
    startedAt: time,
    endedAt: nullable(time),
    endReason: nullable(string),
  }),
  Error: object({
    error: object({ type: string, message: string, requestId: string, details: anyObject }, ['details']),
  }),
};

/** Answers that are no entity. */
const others: Record<string, JsonSchema> = {
  Picture: { type: 'string', description: 'a picture of the QR code' },
  Text: string,
  EventStream: { type: 'string', description: 'frames whose `id` is a cursor and whose `data` is an Event' },
  Health: object({ status: oneOfValues(['live', 'ready']) }),
  OpenApi: anyObject,
  SignedIn: object({ userId: string, role: oneOfValues(['admin', 'user']) }),
  SignedOut: object({ signedOut: boolean }),
};

const pages: Record<string, JsonSchema> = {
  UserPage: pageOf('User'),
  ApiKeyPage: pageOf('ApiKey'),
  ConnectionPage: pageOf('Connection'),
  ConnectionHistoryPage: pageOf('ConnectionHistoryEntry'),
  MessagePage: pageOf('Message'),
  ChatPage: pageOf('Chat'),
  QueueJobPage: pageOf('QueueJob'),
  WebhookPage: pageOf('Webhook'),
  DeliveryPage: pageOf('Delivery'),
  NodePage: pageOf('Node'),
  WorkerPage: pageOf('Worker'),
  EventPage: object({
    items: { type: 'array', items: ref('Event') },
    next: { ...nullable(string), description: 'cursor of the next page; null at the end' },
    cursor: { ...string, description: 'always there: continue from here with `after`, also when `next` is null' },
  }),
  Redelivered: object({ redelivered: integer }),
};

export const SCHEMAS: Readonly<Record<string, JsonSchema>> = { ...entities, ...others, ...pages };
