import type { Clock } from '../clock.ts';
import type { MessageContent, MessageStatus, Party } from '../contracts/entities.ts';
import type { EventLog } from '../events/event-log.port.ts';
import { newId, siblingId } from '../ids.ts';
import type { InboundRecord, RecordContext } from '../session/ports.ts';
import type { MessageDoc } from '../storage/collections.ts';
import type { Vault } from '../storage/vault.ts';
import { type Arrival, followUpStep } from './follow-up-step.ts';
import { type Identities, partyOf } from './identities.ts';
import type { Ledger } from './ledger.ts';
import { MESSAGES_COLLECTION, sealContent, toMessage } from './message-view.ts';
import type { ContentCodec, DecodedMessage } from './ports.ts';
import { groupParty } from './recipients.ts';
import type { RecordStep } from './record-steps.ts';
import { type Chat, originOf } from './stanza-origin.ts';
import { statusRank } from './status.ts';

export interface InboundDeps {
  events: EventLog;
  vault: Vault;
  clock: Clock;
  identities: Identities;
  codec: ContentCodec;
}

/** the year 10000: what an ISO time and an id can hold */
const MAX_TIME_MS = 253_402_300_800_000;
const NOBODY: Party = { id: '', lid: null, pn: null, name: null };

/** @returns what a decrypted stanza means for the store, or null where it means nothing (keys, history, status feed) */
export async function inboundStep(
  deps: InboundDeps,
  record: InboundRecord,
  context: RecordContext,
): Promise<RecordStep | null> {
  const outer = deps.codec.decode(record.plaintext);
  const { decoded, copyOf } = unwrap(outer);
  const origin = originOf(record.attrs, context.me, copyOf);
  const waMessageId = record.attrs.id;
  if (!origin || !waMessageId || decoded.kind === 'internal') return null;
  const me = context.me ?? NOBODY;
  const sender = origin.fromMe ? me : await person(origin.sender, record.attrs.notify ?? null);
  const chat = await party(origin.chat, origin.fromMe ? null : sender);
  const timestamp = timestampOf(record);
  const arrival: Arrival = { record, waMessageId, fromMe: origin.fromMe, sender, chat, timestamp };
  if (decoded.kind !== 'content') return followUpStep(deps, arrival, decoded, context);
  // Only the own account's devices may say what the own account sent.
  const forged = copyOf !== null && !origin.fromMe;
  const content = forged ? { type: 'unsupported' as const, kind: 'deviceSentMessage' } : decoded.content;
  return contentStep(deps, arrival, content, me);

  async function person(forms: Parameters<Identities['meet']>[1], name: string | null): Promise<Party> {
    return partyOf(await deps.identities.meet(context, forms), name);
  }

  async function party(where: Chat, partner: Party | null): Promise<Party> {
    if ('group' in where) return groupParty(where.group);
    return partner ?? person(where.person, null);
  }
}

/** `t` is the server's, in seconds; where it makes no sense, the time of decryption. */
function timestampOf({ attrs, at }: InboundRecord): number {
  const ms = Number(attrs.t) * 1000;
  return Number.isSafeInteger(ms) && ms > 0 && ms < MAX_TIME_MS ? ms : at;
}

function unwrap(outer: DecodedMessage): {
  decoded: Exclude<DecodedMessage, { kind: 'own-copy' }>;
  copyOf: string | null;
} {
  if (outer.kind !== 'own-copy') return { decoded: outer, copyOf: null };
  const inner = outer.message;
  return { decoded: inner.kind === 'own-copy' ? { kind: 'internal' } : inner, copyOf: outer.chat };
}

function contentStep(deps: InboundDeps, arrival: Arrival, content: MessageContent, me: Party): RecordStep {
  const { waMessageId, chat, sender, fromMe } = arrival;

  function stage(ledger: Ledger, context: RecordContext): void {
    const known = ledger.byWaId(waMessageId).some((doc) => doc.chatId === chat.id && doc.senderId === sender.id);
    if (known) return;
    const { connectionId } = context;
    const messageId = newId('message');
    const sealed = sealContent(deps.vault, messageId, content);
    const doc = newMessage(arrival, context, messageId, sealed, content.type, me);
    const { userId, epoch } = context;
    const event = deps.events.write({
      type: fromMe ? 'message.sent' : 'message.received',
      eventId: siblingId('event', messageId),
      userId,
      connectionId,
      epoch,
      occurredAt: arrival.record.at,
      data: { message: toMessage(doc, content) },
    });
    ledger.stage([{ op: 'insert', collection: MESSAGES_COLLECTION, doc }, event], doc);
    ledger.chats.arrived(doc);
  }

  return { needs: { messageIds: [], waMessageIds: [] }, makes: [waMessageId], stage };
}

function newMessage(
  { record, waMessageId, fromMe, sender, chat, timestamp }: Arrival,
  { connectionId, userId, epoch }: RecordContext,
  _id: string,
  content: Uint8Array,
  contentType: MessageContent['type'],
  me: Party,
): MessageDoc {
  const isGroup = chat.lid === null && chat.pn === null;
  // What arrived here is delivered; what the own phone sent has passed the server.
  const status: MessageStatus = fromMe ? 'sent' : 'delivered';
  return {
    _id,
    connectionId,
    userId,
    direction: fromMe ? 'outbound' : 'inbound',
    source: fromMe ? 'phone' : null,
    chatId: chat.id,
    from: sender,
    to: fromMe || isGroup ? chat : me,
    content,
    contentType,
    status,
    statusRank: statusRank(status),
    error: null,
    waMessageId,
    senderId: sender.id,
    jobId: null,
    cipherHash: record.cipherHash,
    epoch,
    timestamp,
    createdAt: record.at,
    updatedAt: record.at,
  };
}
