import type { Lease } from '../cluster/lease.port.ts';
import type { Owner } from '../cluster/membership.port.ts';
import type { SessionHead } from '../cluster/ownership.ts';
import type { MessageContent, Party } from '../contracts/entities.ts';

/**
 * Where the session layer's parts meet. Nothing here knows Baileys: `lib/session/baileys/` implements it, the actor and
 * the messaging layer use it.
 */

/**
 * Facts that become durable in the same journal entry as the ratchet step that they belong to, and that are turned into
 * Messages, Events and statuses afterwards (`RecordApplier`), also by whoever replays the journal after a crash.
 */
export type JournalRecord =
  | InboundRecord
  | ReceiptRecord
  /** a send job whose encryption is in this entry: from here on the outcome of a crash is "unknown", not "never sent" */
  | { kind: 'claim'; jobId: string; messageId: string; at: number };

/** A decrypted stanza, as it came. */
export interface InboundRecord {
  kind: 'inbound';
  /** SHA-256 of the ciphertext, hex */
  cipherHash: string;
  /** the unpadded plaintext: an encoded protobuf `Message` */
  plaintext: Uint8Array;
  /** attributes of the `<message>` stanza: id, from, participant, t, notify, sender_pn, sender_lid, ... */
  attrs: Record<string, string>;
  /** wall clock when it was decrypted, ms */
  at: number;
}

/** A `<receipt>` stanza: delivered (no type), read, played, read-self, ... */
export interface ReceiptRecord {
  kind: 'receipt';
  ids: string[];
  attrs: Record<string, string>;
  at: number;
}

/** Turns records into what they mean. Must be idempotent: an entry may be applied again after a crash. */
export interface RecordApplier {
  apply(records: readonly JournalRecord[], context: RecordContext): Promise<void>;
}

export interface RecordContext {
  connectionId: string;
  userId: string;
  epoch: number;
  me: Party | null;
  /** whoever applies may write only while this holds; absent = it needs no proof */
  lease?: Lease;
  /** somebody may have applied them before: an earlier owner, or this one and its answer was lost */
  again?: boolean;
}

/** What WhatsApp said about a message: accepted (`waCode` null) or refused (`waCode`, e.g. 463). */
export interface ServerAck {
  waCode: number | null;
  /** seconds since the epoch, as the server has it; null where the ack carries none */
  serverTimestamp: number | null;
}

export interface SendRequest {
  jobId: string;
  messageId: string;
  waMessageId: string;
  /** WhatsApp id of the chat: `...@lid`, `...@s.whatsapp.net`, `...@g.us` */
  chatId: string;
  content: MessageContent;
}

export interface WhatsAppSocket {
  /**
   * Encrypts, journals (ratchet step and claim in one entry), writes and waits for the server's ack.
   * @throws CONNECTION_CLOSED when the socket ended before the ack came (the outcome is unknown if the claim is durable)
   */
  send(request: SendRequest): Promise<ServerAck>;
  /** Whether a number is on WhatsApp, and its ids. null = it is not. @throws CONNECTION_CLOSED */
  lookup(pn: string): Promise<{ lid: string | null; pn: string } | null>;
  /** @returns the code, without dash */
  requestPairingCode(phoneNumber: string): Promise<string>;
  /** Tells WhatsApp that this device is gone. Resolves when it answered or after 5 s. */
  logout(): Promise<void>;
  /** Ends the TCP connection at once, synchronously, and every timer with it. No handler is called afterwards. */
  terminate(): void;
}

/** What a socket tells its actor. None is called after `closed` or `terminate()`. */
export interface SocketHandlers {
  /** a new QR string; valid for `validForMs` */
  qr(qr: string, validForMs: number): void;
  /** `pair-success` came: credentials are being stored, a 515 follows */
  paired(me: Party): void;
  /** logged in, initial queries answered */
  open(me: Party): void;
  /** the socket is gone; `code` as in the supervisor table, `expiresAt` (ms) for temporary bans */
  closed(end: SocketEnd): void;
}

export interface SocketEnd {
  code: number;
  reason: string;
  /** ms since the epoch: a temporary ban's end */
  expiresAt?: number;
  /** QR codes used up, or the code expired, while pairing */
  pairingExpired?: boolean;
}

/** The durable state of one activation: what `takeOver` gives. Opaque to everyone but lib/session/baileys. */
export interface SessionActivation {
  readonly connectionId: string;
  readonly userId: string;
  readonly epoch: number;
  /** who wrote last before this takeover, and whether it was a release; null = nobody did */
  readonly before: SessionHead | null;
  /** has a login (credentials that were registered) */
  readonly registered: boolean;
  /** the records that the takeover found are applied. @throws what `takeOver` throws when it waits for that itself */
  readonly replayed: Promise<void>;
  /**
   * Adds to the pending entry; it becomes durable with the next commit, at the latest before the next frame leaves.
   */
  record(record: JournalRecord): void;
  /** Becomes durable: resolves when the entry is acknowledged. @throws SESSION_FENCED, STORE_UNAVAILABLE */
  flush(): Promise<void>;
  /** Starts credentials over, for a new pairing. Only on the owner's explicit wish, never because of a disconnect code. */
  resetCredentials(): Promise<void>;
  /** Called once when this activation was fenced or its store failed; the socket was already gated. */
  onFailure(fn: (error: Error) => void): void;
  /**
   * Flushes, applies what is pending, stops background work. `release` writes a release entry (planned end). `swift`
   * leaves what is durable and not applied yet to whoever takes over: somebody waits for it. Never throws.
   * @returns whether the release is durable: otherwise this process stays the recorded owner
   */
  close(options: { release: boolean; swift?: boolean }): Promise<boolean>;
}

export interface TakeOverOptions {
  head?: SessionHead | null;
  lease?: Lease;
  /** does not wait for the replay: whoever asks so waits for `replayed` */
  replayMeanwhile?: boolean;
}

export interface SessionStore {
  /** The newest entry of a session's journal; null = there never was one. @throws STORE_UNAVAILABLE */
  head(connectionId: string): Promise<SessionHead | null>;
  /**
   * Takes a session over (a new session: epoch 1): journals the takeover, loads snapshot and tail, replays records.
   * @param options.head what the guards were looked at for: the takeover's entry follows it or collides; left out, it
   *   follows whatever is there
   * @param options.lease nothing is written once it is over; left out, it needs no proof
   * @throws SESSION_QUARANTINED (unreadable; nothing is changed), SESSION_FENCED, STORE_UNAVAILABLE
   */
  takeOver(connectionId: string, userId: string, owner: Owner, options?: TakeOverOptions): Promise<SessionActivation>;
  /**
   * The last word about a session that this process is recorded for and does not run: a release entry, unless somebody
   * else wrote by now.
   * @returns whether there was something to release. @throws STORE_UNAVAILABLE, SESSION_FENCED while others write
   */
  giveUp(connectionId: string, owner: Owner): Promise<boolean>;
  /** The sessions whose rows name this very process as their owner. @throws STORE_UNAVAILABLE */
  recordedTo(owner: Owner): Promise<string[]>;
  /** Deletes everything of a session (only for a deleted connection). */
  destroy(connectionId: string): Promise<void>;
}

export interface SocketOptions {
  activation: SessionActivation;
  handlers: SocketHandlers;
  browser: [os: string, browser: string, version: string];
  /** asked before every frame: it waits while this is unproven, and the socket ends when it is over */
  lease?: Lease;
}

/** Opens a socket; returns at once, everything else comes through the handlers. */
export type OpenSocket = (options: SocketOptions) => WhatsAppSocket;
