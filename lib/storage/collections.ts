import type {
  AuthState,
  ConnectionStatus,
  DeliveryAttempt,
  DesiredState,
  DeviceInfo,
  EventType,
  JobStatus,
  MessageContent,
  MessageError,
  MessageStatus,
  PairingMethod,
  Party,
  Role,
} from '../contracts/entities.ts';
import type { CollectionSpec } from './port.ts';

/**
 * Every stored document of Castellan. Times are milliseconds since the epoch. Every row that belongs to a tenant
 * carries `userId`, and every query of a tenant filters by it.
 */

export interface UserDoc {
  _id: string;
  username: string;
  email: string;
  role: Role;
  createdAt: number;
  updatedAt: number;
}

export interface ApiKeyDoc {
  _id: string;
  userId: string;
  name: string | null;
  /** HMAC-SHA-256 of the key under a key derived from ENCRYPTION_KEY, hex */
  hash: string;
  createdAt: number;
  revokedAt: number | null;
}

/**
 * What somebody asked for beside running or not, with the generation that it came with; over once that is served.
 * `pair`: by the row's `pairing`, over fresh credentials. `logout`: tell WhatsApp and park.
 */
export interface ConnectionWish {
  kind: 'pair' | 'logout';
  generation: number;
}

export interface ConnectionDoc {
  _id: string;
  userId: string;
  name: string | null;
  desiredState: DesiredState;
  status: ConnectionStatus;
  statusReason: string | null;
  statusCode: number | null;
  restrictions: string[];
  /** of the restriction `new_chats`: when one new chat is tried, and how long the wait for that is, ms */
  newChatPause?: { until: number; delayMs: number } | null;
  degraded: boolean;
  me: Party | null;
  worker: { nodeId: string; epoch: number } | null;
  deviceInfo: DeviceInfo | null;
  metadata: Record<string, unknown> | null;
  pairing: { method: PairingMethod; phoneNumber: string | null };
  /** of the activation that last wrote; every write of an owner filters by `epoch <= mine` and sets it */
  epoch: number;
  /** bumped by restart, logout and pairing-code requests, so that reconcile sees them whoever runs it */
  generation: number;
  wish?: ConnectionWish | null;
  /** the generation that the session layer has acted on: a parked connection runs again once `generation` is greater */
  servedGeneration?: number;
  /** a temporary ban's end, ms: nothing is tried before, unless somebody asks for it */
  sleepUntil?: number | null;
  /** takes the next number of the outbox, at acceptance */
  outboxSeq: number;
  createdAt: number;
  updatedAt: number;
  /** set by DELETE; reconcile stops the actor and wipes what belongs to it */
  deletedAt: number | null;
}

export interface ConnectionHistoryDoc {
  _id: string;
  connectionId: string;
  userId: string;
  status: ConnectionStatus;
  previousStatus: ConnectionStatus | null;
  reason: string | null;
  code: number | null;
  nodeId: string | null;
  epoch: number | null;
  at: number;
}

/** One row a connection, for its running or last login. */
export interface RemoteAuthDoc {
  /** authId: the connection's ULID under `aut_`; also the code's additional data in the vault */
  _id: string;
  connectionId: string;
  userId: string;
  authState: AuthState;
  method: PairingMethod;
  /** encrypted by the vault: a code is a login */
  code: Uint8Array | null;
  expiresAt: number | null;
  epoch: number;
  updatedAt: number;
}

export interface WorkerDoc {
  _id: string;
  connectionId: string;
  userId: string;
  nodeId: string;
  incarnation: string;
  epoch: number;
  status: 'live' | 'ended';
  startedAt: number;
  endedAt: number | null;
  endReason: string | null;
}

/** Fields that the session layer needs beside these are its own; see lib/session/journal. */
export interface SessionDoc {
  /** connectionId */
  _id: string;
  userId: string;
  epoch: number;
  owner: { nodeId: string; incarnation: string; seat?: string | null } | null;
  /** the last journal sequence whose effects are in `sessionKeys`, messages and events */
  watermark: number;
  /** keys of journal entries before this one are void (the credentials were started over) */
  floor?: number;
  /** the entry that the stored credentials come from: they must be there when this is above `floor` */
  credentialsSeq?: number;
}

/** A session-node's heartbeat, one row a node's name; `incarnation` has the seat. */
export interface NodeDoc {
  /** nodeId */
  _id: string;
  incarnation: string;
  /** grows with every heartbeat; that it grows is all that the others look at */
  counter: number;
  /** the exclusive identity of its process (see Owner) */
  seat: string | null;
  /** who sat here before, and the last heartbeat that it can ever have stored; null = nobody */
  former: { incarnation: string; counter: number; seat: string | null } | null;
  capacity: number;
  draining: boolean;
  connections: number;
  open: number;
  memoryBytes: number;
  messagesPerMinute: number;
  startedAt: number;
  drainingSince: number | null;
  /** wall clock of the writer, for people and for the retention; decides nothing */
  updatedAt: number;
}

export interface SessionKeyDoc {
  /** `connectionId:type:id` */
  _id: string;
  connectionId: string;
  /** encrypted value; null = tombstone */
  value: Uint8Array | null;
  seq: number;
}

export interface JournalDoc {
  /** `connectionId:sequence` */
  _id: string;
  connectionId: string;
  seq: number;
  epoch: number;
  kind: 'takeover' | 'commit' | 'release';
  owner: { nodeId: string; incarnation: string; seat?: string | null };
  /** tells own success from another's entry after an unknown outcome */
  nonce: string;
  /** encrypted payload; takeover and release carry none */
  payload: Uint8Array | null;
}

/** A person that a connection met, under the id that its chat was given and both names of WhatsApp, as far as known. */
export interface IdentityDoc {
  /** `connectionId:id` */
  _id: string;
  connectionId: string;
  userId: string;
  /** given once, never changed: the LID where it was known then, otherwise the number's id */
  id: string;
  lid: string | null;
  pn: string | null;
}

export interface MessageDoc {
  _id: string;
  connectionId: string;
  userId: string;
  direction: 'inbound' | 'outbound';
  source: 'api' | 'phone' | null;
  chatId: string;
  from: Party;
  to: Party;
  /** JSON of MessageContent, encrypted by the vault (additional data: the message's id) */
  content: Uint8Array;
  contentType: MessageContent['type'];
  status: MessageStatus;
  /** place in the order of statuses; updates filter by `statusRank < new`, so a status never goes back */
  statusRank: number;
  error: MessageError | null;
  waMessageId: string;
  /** canonical id of the sender's person; with connection, chat and waMessageId unique */
  senderId: string;
  jobId: string | null;
  /** SHA-256 (hex) of the ciphertext that an inbound message came in */
  cipherHash: string | null;
  epoch: number | null;
  timestamp: number;
  createdAt: number;
  updatedAt: number;
}

/** One row a conversation, kept together with its messages; see lib/messaging/chat-changes.ts. */
export interface ChatDoc {
  /** `connectionId:chatId` */
  _id: string;
  connectionId: string;
  userId: string;
  chatId: string;
  /** of the person: what it calls itself, and its two ids as far as they are known */
  name: string | null;
  lid: string | null;
  pn: string | null;
  /** when its newest message came here: what the list runs by */
  lastAt: number;
  /** when its newest inbound message came; 0 = none did */
  lastInboundAt: number;
  unread: number;
}

export interface JobDoc {
  _id: string;
  userId: string;
  connectionId: string | null;
  jobType: 'message.send' | 'webhook.deliver';
  status: JobStatus;
  subjectId: string;
  /** message.send: order in the connection's outbox */
  outboxSeq: number | null;
  chatId: string | null;
  attempts: number;
  runAt: number;
  /** what to do when a crash leaves it unknown whether WhatsApp got it */
  onUnknown: 'resend' | 'park';
  epoch: number;
  error: MessageError | null;
  createdAt: number;
  updatedAt: number;
}

export interface WebhookDoc {
  _id: string;
  userId: string;
  connectionId: string | null;
  /** made by an admin for no single connection: gets what an admin sees, everybody's events */
  everyTenant: boolean;
  url: string;
  enabled: boolean;
  disabledReason: string | null;
  eventTypes: string[];
  /** encrypted by the vault */
  secret: Uint8Array;
  /** JSON of name -> value, encrypted by the vault */
  headers: Uint8Array | null;
  headerNames: string[];
  /** position in the event log up to which deliveries were made */
  cursor: number;
  /** grows when a request made a delivery due: whoever delivers sees it and looks */
  wakeUps: number;
  /** set by DELETE; its deliveries go first, then the row */
  deletedAt: number | null;
  createdAt: number;
  updatedAt: number;
}

export interface DeliveryDoc {
  _id: string;
  webhookId: string;
  userId: string;
  connectionId: string | null;
  eventId: string;
  eventType: EventType;
  status: 'pending' | 'succeeded' | 'failed';
  attempts: DeliveryAttempt[];
  /** the QueueJob of the current round; a redelivery begins a new round with a new job */
  jobId: string;
  /** attempts of this round that ended: the place in the retry schedule */
  tries: number;
  /** an attempt is running since then; null = none. Until it ends, `nextAttemptAt` is when it counts as abandoned */
  claimedAt: number | null;
  nextAttemptAt: number | null;
  createdAt: number;
  updatedAt: number;
}

export interface EventDoc {
  _id: string;
  type: EventType;
  connectionId: string | null;
  userId: string;
  epoch: number | null;
  occurredAt: number;
  /** JSON of the data, encrypted by the vault (additional data: the event's id) */
  data: Uint8Array;
  /** given by the store at commit */
  position: number;
  seq: number;
}

export interface IdempotencyDoc {
  /** `userId:` + SHA-256 of the key, hex */
  _id: string;
  userId: string;
  /** SHA-256 of method, path and body */
  requestHash: string;
  reservedUlid: string;
  status: 'pending' | 'done';
  /** which request works on it, and until when its claim holds (it renews); see lib/http/idempotency.ts */
  holder: string;
  leaseUntil: number;
  /** JSON of {status, body}, encrypted by the vault */
  response: Uint8Array | null;
  createdAt: number;
  expiresAt: number;
}

/**
 * Somebody signed in at the dashboard. It stands for an API key, by whose hash every request is let in: it is dead when
 * the key is revoked (or, for the bootstrap admin, is another one).
 */
export interface DashboardSessionDoc {
  /** keyed hash of the cookie's random token, hex */
  _id: string;
  /** the vault's keyed hash of the API key, as in `apiKeys` */
  keyHash: string;
  keyId: string;
  userId: string;
  createdAt: number;
  expiresAt: number;
}

const by = (...fields: (string | [string, -1])[]) => fields.map((f) => (typeof f === 'string' ? ([f, 1] as const) : f));

export const COLLECTIONS: readonly CollectionSpec[] = [
  {
    name: 'users',
    indexes: [{ fields: by('username'), unique: true }, { fields: by('email') }, { fields: by('createdAt') }],
  },
  { name: 'apiKeys', indexes: [{ fields: by('hash'), unique: true }, { fields: by('userId') }] },
  {
    name: 'connections',
    indexes: [
      { fields: by('userId', 'createdAt') },
      { fields: by('createdAt') },
      { fields: by('desiredState') },
      { fields: by('status') },
      { fields: by('updatedAt') },
      { fields: by('deletedAt'), whereExists: 'deletedAt' },
    ],
  },
  { name: 'connectionHistory', indexes: [{ fields: by('connectionId', 'at') }, { fields: by('at') }] },
  { name: 'remoteAuths', indexes: [{ fields: by('connectionId') }] },
  {
    name: 'workers',
    indexes: [
      { fields: by('connectionId', 'startedAt') },
      { fields: by('nodeId', 'status') },
      { fields: by('status', 'startedAt') },
      { fields: by('status', 'endedAt') },
    ],
  },
  { name: 'sessions', indexes: [{ fields: by('owner.nodeId') }] },
  { name: 'nodes', indexes: [{ fields: by('updatedAt') }] },
  { name: 'sessionKeys', indexes: [{ fields: by('connectionId') }] },
  { name: 'sessionJournal', indexes: [{ fields: by('connectionId', 'seq'), unique: true }] },
  {
    name: 'identities',
    indexes: [{ fields: by('pn', 'connectionId') }, { fields: by('lid', 'connectionId') }],
  },
  {
    name: 'messages',
    indexes: [
      { fields: by('connectionId', 'chatId', 'waMessageId', 'senderId'), unique: true },
      { fields: by('connectionId', 'waMessageId') },
      { fields: by('connectionId', 'createdAt') },
      { fields: by('connectionId', 'chatId', 'createdAt') },
      { fields: by('userId', 'createdAt') },
      { fields: by('createdAt') },
      { fields: by('connectionId', 'cipherHash'), whereExists: 'cipherHash' },
    ],
  },
  {
    name: 'chats',
    indexes: [{ fields: by('connectionId', 'lastAt') }, { fields: by('userId', 'lastAt') }, { fields: by('lastAt') }],
  },
  {
    name: 'jobs',
    indexes: [
      { fields: by('connectionId', 'jobType', 'status', 'outboxSeq') },
      { fields: by('connectionId', 'createdAt') },
      { fields: by('jobType', 'status', 'runAt') },
      { fields: by('userId', 'createdAt') },
      { fields: by('subjectId') },
    ],
  },
  { name: 'webhooks', indexes: [{ fields: by('userId', 'createdAt') }, { fields: by('enabled') }] },
  {
    name: 'deliveries',
    indexes: [
      { fields: by('webhookId', 'eventId'), unique: true },
      { fields: by('webhookId', 'createdAt') },
      { fields: by('webhookId', 'status', 'nextAttemptAt') },
      { fields: by('createdAt') },
    ],
  },
  {
    name: 'events',
    indexes: [
      { fields: by('userId', 'position') },
      { fields: by('connectionId', 'seq'), whereExists: 'connectionId' },
      { fields: by('connectionId', 'position'), whereExists: 'connectionId' },
      { fields: by('occurredAt') },
    ],
    ordered: { sequencePer: 'connectionId' },
  },
  { name: 'idempotency', indexes: [{ fields: by('expiresAt') }] },
  { name: 'dashboardSessions', indexes: [{ fields: by('expiresAt') }] },
];
