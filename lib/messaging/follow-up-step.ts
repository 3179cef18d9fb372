import type { EventType, MessageContent, Party } from '../contracts/entities.ts';
import type { EventLog } from '../events/event-log.port.ts';
import { derivedId } from '../ids.ts';
import type { InboundRecord, RecordContext } from '../session/ports.ts';
import type { EventDoc, MessageDoc } from '../storage/collections.ts';
import type { Write } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';
import type { Ledger } from './ledger.ts';
import { MESSAGES_COLLECTION, sealContent } from './message-view.ts';
import type { DecodedMessage } from './ports.ts';
import type { RecordStep } from './record-steps.ts';

/** A stanza of a chat, its people found out. */
export interface Arrival {
  record: InboundRecord;
  waMessageId: string;
  fromMe: boolean;
  sender: Party;
  chat: Party;
  /** the sender's server time, ms */
  timestamp: number;
}

/** What says something about an earlier message. */
export type FollowUp = Extract<DecodedMessage, { kind: 'reaction' | 'edit' | 'revoke' }>;

interface FollowUpDeps {
  events: EventLog;
  vault: Vault;
}

const EVENT_TYPES: Record<FollowUp['kind'], EventType> = {
  reaction: 'message.reaction',
  edit: 'message.edited',
  revoke: 'message.revoked',
};

/**
 * Reactions, edits and revocations: an event about the message (`messageId` is null where it is not stored, from before
 * this connection was paired), and for an edit the new content on the message. Everybody in a chat may react; only the
 * author may edit; only the author may revoke, and in a group its admins too, whom only WhatsApp's server knows and
 * checks. A revoked message keeps its content here: the log of what arrived is the user's.
 */
export async function followUpStep(
  { events, vault }: FollowUpDeps,
  { record, waMessageId, sender, chat, timestamp }: Arrival,
  followUp: FollowUp,
  { connectionId }: RecordContext,
): Promise<RecordStep | null> {
  const eventId = derivedId('event', timestamp, [connectionId, chat.id, waMessageId, sender.id].join(' '));
  // Nothing else than its event shows that it was applied before.
  if (await events.get(eventId)) return null;
  const targetId = followUp.target.waMessageId;

  function stage(ledger: Ledger, { userId, epoch }: RecordContext): void {
    const inChat = ledger.byWaId(targetId).filter((doc) => doc.chatId === chat.id);
    const target = inChat.find((doc) => mayFollowUp(followUp, doc, sender, chat));
    if (inChat.length > 0 && !target) return;
    const content = contentOf(followUp, target?._id ?? targetId);
    const event = events.write({
      type: EVENT_TYPES[followUp.kind],
      eventId,
      userId,
      connectionId,
      epoch,
      occurredAt: record.at,
      data: { messageId: target?._id ?? null, waMessageId: targetId, chatId: chat.id, by: sender, content },
    });
    if (ledger.writes.some((write) => write.op === 'insert' && (write.doc as EventDoc)._id === eventId)) return;
    if (target && followUp.kind === 'edit') ledger.stage([editWrite(target, followUp.content)]);
    ledger.stage([event]);
  }

  function editWrite(target: MessageDoc, content: MessageContent): Write {
    const $set = { content: sealContent(vault, target._id, content), contentType: content.type, updatedAt: record.at };
    return { op: 'update', collection: MESSAGES_COLLECTION, filter: { _id: target._id }, update: { $set } };
  }

  return { needs: { messageIds: [], waMessageIds: [targetId] }, makes: [], stage };
}

function contentOf(followUp: FollowUp, messageId: string): MessageContent | null {
  if (followUp.kind === 'edit') return followUp.content;
  return followUp.kind === 'reaction' ? { type: 'reaction', emoji: followUp.emoji, messageId } : null;
}

function mayFollowUp({ kind }: FollowUp, target: MessageDoc, sender: Party, chat: Party): boolean {
  const isGroup = chat.lid === null && chat.pn === null;
  return kind === 'reaction' || target.senderId === sender.id || (kind === 'revoke' && isGroup);
}
