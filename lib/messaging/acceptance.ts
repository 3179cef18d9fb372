import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Caller } from '../contracts/action.ts';
import type { ConnectionStatus, Message, MessageContent, Party } from '../contracts/entities.ts';
import type { SendContent, SendParams } from '../contracts/messages.contract.ts';
import { notFound, scopeFilter } from '../contracts/scope.ts';
import { CastellanError, isErrorType } from '../errors.ts';
import type { EventLog } from '../events/event-log.port.ts';
import { ID_PREFIXES, newId, siblingId } from '../ids.ts';
import type { ConnectionDoc, JobDoc, MessageDoc } from '../storage/collections.ts';
import type { Store, Write } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';
import { chatWrites } from './chat-changes.ts';
import { type Identities, partyOf } from './identities.ts';
import { type AskForLid, createIntroduction } from './introduction.ts';
import { JOBS_COLLECTION, MESSAGES_COLLECTION, openContent, sealContent, toMessage } from './message-view.ts';
import { groupParty, parseRecipient, personForms } from './recipients.ts';
import { statusRank } from './status.ts';
import { statusEvent } from './status-writes.ts';

/** The connection is up or comes back by itself: what is accepted now will be sent. */
const SENDABLE: readonly ConnectionStatus[] = ['open', 'connecting', 'reconnecting', 'restricted'];
/** Only pairing anew helps. */
const GONE: readonly ConnectionStatus[] = ['logged_out', 'banned', 'locked'];

/** UTF-16 code units, as WhatsApp's own clients count them */
export const MAX_TEXT_LENGTH = 65_536;

export interface AcceptanceOptions {
  store: Store;
  events: EventLog;
  vault: Vault;
  clock: Clock;
  identities: Identities;
}

export interface AcceptSendOptions {
  /** from the Idempotency-Key: the ids are made from it, so that a repeat after a crash finds what exists */
  reservedUlid?: string | undefined;
  /** who goes by a number; without it the number becomes the chat's id */
  askForLid?: AskForLid | undefined;
}

/** Takes messages to be sent: durable before it answers, sent by whoever owns the connection. */
export interface Acceptance {
  /**
   * Writes Message, QueueJob and the `queued` event in one atomic group.
   * @returns the message as it is now (of a repeat: as it was found)
   * @throws NOT_FOUND, WRONG_STATE, LOGGED_OUT, INVALID_RECIPIENT, UNSUPPORTED_CONTENT, VALIDATION_ERROR, STORE_UNAVAILABLE,
   *   OUTCOME_UNKNOWN when the store did not say whether it has it
   */
  acceptSend(caller: Caller, params: SendParams, options?: AcceptSendOptions): Promise<Message>;
}

export function createAcceptance({ store, events, vault, clock, identities }: AcceptanceOptions): Acceptance {
  const connections = store.collection<ConnectionDoc>('connections');
  const messages = store.collection<MessageDoc>(MESSAGES_COLLECTION);
  const { introduce } = createIntroduction(store, identities);

  /** Checks the state and takes the next place in the outbox, in one step. */
  async function takePlace(caller: Caller, connectionId: string): Promise<ConnectionDoc & { me: Party }> {
    const mine = { _id: connectionId, ...scopeFilter(caller), deletedAt: null };
    const connection = await connections.findOneAndUpdate(
      { ...mine, desiredState: 'running', status: { $in: SENDABLE } },
      { $inc: { outboxSeq: 1 } },
    );
    const { me } = connection ?? {};
    if (connection && me) return { ...connection, me };
    throw refusal(connection ?? (await connections.findOne(mine)));
  }

  async function partyFor(connection: ConnectionDoc & { me: Party }, to: string | undefined): Promise<Party> {
    const { _id: connectionId, userId, me } = connection;
    const own = personForms(me.lid, me.pn, me.id);
    if (own) await identities.meet({ connectionId, userId }, own);
    if (to === undefined) return me;
    const { kind, id } = parseRecipient(to);
    if (kind === 'group') return groupParty(id);
    const forms = { lid: kind === 'lid' ? id : null, pn: kind === 'pn' ? id : null };
    return partyOf(await identities.meet({ connectionId, userId }, forms));
  }

  async function existing(caller: Caller, messageId: string): Promise<Message | null> {
    const doc = await messages.findOne({ _id: messageId, ...scopeFilter(caller) });
    return doc && toMessage(doc, openContent(vault, doc));
  }

  async function accept(
    caller: Caller,
    params: SendParams,
    messageId: string,
    askForLid: AskForLid | undefined,
  ): Promise<Message> {
    const { connectionId, to: recipient } = params;
    const content = sendable(params.content);
    if (recipient !== undefined) parseRecipient(recipient);
    /* before a place is taken: whoever waits for an answer must not hold up the order of the others */
    if (recipient !== undefined && askForLid) await introduce(caller, connectionId, recipient, askForLid);
    const connection = await takePlace(caller, connectionId);
    const to = await partyFor(connection, recipient);
    const now = clock.now();
    const message = newMessage(connection, messageId, to, now, content, sealContent(vault, messageId, content));
    const job = newJob(message, connection.outboxSeq, runAtOf(params, now), params.onUnknown ?? 'resend');
    const writes: Write[] = [
      { op: 'insert', collection: MESSAGES_COLLECTION, doc: message },
      { op: 'insert', collection: JOBS_COLLECTION, doc: job },
      ...chatWrites(message),
      statusEvent(events, message, null),
    ];
    await store.atomically(writes).catch(orUnknown);
    events.committed();
    return toMessage(message, content);
  }

  return {
    async acceptSend(caller, params, { reservedUlid, askForLid } = {}) {
      const messageId = reservedUlid ? `${ID_PREFIXES.message}_${reservedUlid}` : newId('message');
      try {
        return await accept(caller, params, messageId, askForLid);
      } catch (error) {
        // A repeat of a request that was accepted before: also when the connection has left the state for it since.
        const repeat = reservedUlid !== undefined && isErrorType(error, 'DUPLICATE_KEY', 'WRONG_STATE', 'LOGGED_OUT');
        const before = repeat ? await existing(caller, messageId) : null;
        if (before) return before;
        throw error;
      }
    },
  };
}

/** A job that may have been stored is neither accepted nor refused. */
function orUnknown(error: unknown): never {
  const { outcome } = (error as CastellanError).data ?? {};
  if (isErrorType(error, 'STORE_UNAVAILABLE') && outcome === 'unknown') throw new CastellanError('OUTCOME_UNKNOWN');
  throw error;
}

function refusal(connection: ConnectionDoc | null): CastellanError {
  if (!connection) return notFound();
  const { status } = connection;
  if (GONE.includes(status)) return new CastellanError('LOGGED_OUT', undefined, { status });
  const message = `The connection is ${status}: nothing can be sent until it is started and paired.`;
  return new CastellanError('WRONG_STATE', message, { status });
}

/** @throws UNSUPPORTED_CONTENT, VALIDATION_ERROR (empty, too long, or not well-formed Unicode) */
function sendable(content: SendContent): MessageContent {
  const { type, text } = typeof content === 'string' ? { type: 'text', text: content } : content;
  if (type !== 'text') {
    throw new CastellanError('UNSUPPORTED_CONTENT', 'Only text can be sent: a string, or {type: "text", text}.');
  }
  if (typeof text !== 'string' || text === '' || text.length > MAX_TEXT_LENGTH || !text.isWellFormed()) {
    const wanted = `The text must be well-formed Unicode of 1 to ${MAX_TEXT_LENGTH} characters.`;
    throw new CastellanError('VALIDATION_ERROR', wanted, { fields: ['content'] });
  }
  return { type, text };
}

/** @throws VALIDATION_ERROR when it is no date. A time that has passed means now. */
function runAtOf({ sendAt }: SendParams, now: number): number {
  if (sendAt === undefined) return now;
  const at = Date.parse(sendAt);
  if (Number.isNaN(at)) throw new CastellanError('VALIDATION_ERROR', 'sendAt is no date.', { fields: ['sendAt'] });
  return Math.max(at, now);
}

/** As Baileys makes them, so that WhatsApp sees nothing unusual; random enough to be unique. */
const newWaMessageId = (): string => `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;

function newMessage(
  { _id: connectionId, userId, me }: ConnectionDoc & { me: Party },
  messageId: string,
  to: Party,
  now: number,
  content: MessageContent,
  sealed: Uint8Array,
): MessageDoc {
  return {
    _id: messageId,
    connectionId,
    userId,
    direction: 'outbound',
    source: 'api',
    chatId: to.id,
    from: me,
    to,
    content: sealed,
    contentType: content.type,
    status: 'queued',
    statusRank: statusRank('queued'),
    error: null,
    waMessageId: newWaMessageId(),
    senderId: me.id,
    jobId: siblingId('job', messageId),
    cipherHash: null,
    epoch: 0,
    timestamp: now,
    createdAt: now,
    updatedAt: now,
  };
}

function newJob(message: MessageDoc, outboxSeq: number, runAt: number, onUnknown: JobDoc['onUnknown']): JobDoc {
  return {
    _id: siblingId('job', message._id),
    userId: message.userId,
    connectionId: message.connectionId,
    jobType: 'message.send',
    status: 'pending',
    subjectId: message._id,
    outboxSeq,
    chatId: message.chatId,
    attempts: 0,
    runAt,
    onUnknown,
    epoch: 0,
    error: null,
    createdAt: message.createdAt,
    updatedAt: message.updatedAt,
  };
}
