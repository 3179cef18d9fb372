/** The shapes that the API answers with. Times are ISO 8601 UTC with milliseconds. Clients must bear new values. */

export const CONNECTION_STATUSES = [
  'created',
  'connecting',
  'awaiting_pairing',
  'open',
  'reconnecting',
  'stopped',
  'qr_expired',
  'needs_pairing',
  'logged_out',
  'conflict',
  'restricted',
  'locked',
  'outdated',
  'banned',
  'quarantined',
  'failed',
] as const;
export type ConnectionStatus = (typeof CONNECTION_STATUSES)[number];

export const AUTH_STATES = ['pending', 'ready', 'succeeded', 'expired', 'failed'] as const;
export type AuthState = (typeof AUTH_STATES)[number];

export const MESSAGE_STATUSES = [
  'queued',
  'sending',
  'sent',
  'delivered',
  'read',
  'played',
  'failed',
  'cancelled',
  'parked',
] as const;
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

export const JOB_STATUSES = ['pending', 'processing', 'completed', 'failed', 'cancelled', 'parked'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

export const EVENT_TYPES = [
  'message.received',
  'message.sent',
  'message.status',
  'message.edited',
  'message.revoked',
  'message.reaction',
  'connection.status',
  'connection.moved',
  'auth.qr',
  'auth.pairing_code',
  'auth.succeeded',
  'group.updated',
  'presence.updated',
  'call.received',
  'webhook.disabled',
  'webhook.test',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export type Role = 'admin' | 'user';
export type DesiredState = 'running' | 'stopped';
export type PairingMethod = 'qr' | 'code';

/** A person or group, wherever it appears. `id` is the LID where there is one and never changes. */
export interface Party {
  id: string;
  lid: string | null;
  pn: string | null;
  name: string | null;
}

export interface User {
  userId: string;
  username: string;
  email: string;
  role: Role;
  createdAt: string;
  updatedAt: string;
}

export interface ApiKey {
  keyId: string;
  userId: string;
  name: string | null;
  createdAt: string;
  revokedAt: string | null;
  /** the key itself: only in the answer that creates it */
  key?: string;
}

export type DeviceInfo = string | { os?: string; browser?: string; version?: string };

export interface Connection {
  connectionId: string;
  userId: string;
  name: string | null;
  status: ConnectionStatus;
  /** why it is in this status, in words for people */
  statusReason: string | null;
  desiredState: DesiredState;
  restrictions: string[];
  degraded: boolean;
  me: Party | null;
  worker: { nodeId: string; epoch: number } | null;
  deviceInfo: DeviceInfo | null;
  metadata: Record<string, unknown> | null;
  createdAt: string;
  updatedAt: string;
}

export interface ConnectionHistoryEntry {
  status: ConnectionStatus;
  previousStatus: ConnectionStatus | null;
  reason: string | null;
  code: number | null;
  nodeId: string | null;
  epoch: number | null;
  at: string;
}

export interface RemoteAuth {
  authId: string;
  connectionId: string;
  authState: AuthState;
  method: PairingMethod;
  /** the raw string that the phone scans */
  qr?: string;
  pairingCode?: string;
  expiresAt: string | null;
}

export type MessageContent =
  | { type: 'text'; text: string }
  /** media kinds are shown as what they are; downloading them comes with the media work */
  | {
      type: 'image' | 'video' | 'audio' | 'document' | 'sticker';
      mimetype?: string;
      caption?: string;
      fileName?: string;
    }
  | { type: 'reaction'; emoji: string; messageId: string }
  | { type: 'unsupported'; kind: string };

export interface MessageError {
  type: string;
  message: string;
  waCode?: number;
}

export interface Message {
  messageId: string;
  connectionId: string;
  userId: string;
  direction: 'inbound' | 'outbound';
  /** where an outbound message was written: through this API or on the account's own phone */
  source: 'api' | 'phone' | null;
  chatId: string;
  from: Party;
  to: Party;
  content: MessageContent;
  status: MessageStatus;
  error: MessageError | null;
  waMessageId: string;
  jobId: string | null;
  /** when it was written (inbound: the sender's server time) */
  timestamp: string;
  createdAt: string;
  updatedAt: string;
}

/** A conversation. A person's is named after it, as far as it is known. */
export interface Chat {
  chatId: string;
  connectionId: string;
  name: string | null;
  lid: string | null;
  pn: string | null;
  lastMessage: Message;
  /** inbound messages since the account wrote there, read it on a phone, or it was marked as seen */
  unread: number;
}

export interface QueueJob {
  jobId: string;
  connectionId: string | null;
  userId: string;
  jobType: 'message.send' | 'webhook.deliver';
  status: JobStatus;
  attempts: number;
  runAt: string;
  /** message.send: the message; webhook.deliver: the delivery */
  subjectId: string;
  error: MessageError | null;
  createdAt: string;
  updatedAt: string;
}

export interface Webhook {
  webhookId: string;
  userId: string;
  connectionId: string | null;
  url: string;
  enabled: boolean;
  /** why it is off, when Castellan turned it off */
  disabledReason: string | null;
  eventTypes: string[];
  /** names only: values may be secrets */
  headers: string[];
  createdAt: string;
  updatedAt: string;
  /** `whsec_` + base64: only in the answer that creates it */
  secret?: string;
}

export interface DeliveryAttempt {
  at: string;
  statusCode: number | null;
  durationMs: number;
  error: string | null;
}

export interface Delivery {
  deliveryId: string;
  webhookId: string;
  eventId: string;
  eventType: string;
  status: 'pending' | 'succeeded' | 'failed';
  attempts: DeliveryAttempt[];
  nextAttemptAt: string | null;
  createdAt: string;
}

export interface CastellanEvent<D = unknown> {
  eventId: string;
  type: EventType;
  connectionId: string | null;
  userId: string;
  /** 1, 2, 3, ... per connection; 0 where there is no connection */
  seq: number;
  epoch: number | null;
  occurredAt: string;
  data: D;
}

export interface Page<T> {
  items: T[];
  /** cursor for `after`; null at the end */
  next: string | null;
}
