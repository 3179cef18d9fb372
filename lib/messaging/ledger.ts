import type { MessageDoc } from '../storage/collections.ts';
import type { Store, Write } from '../storage/port.ts';
import { type ChatChanges, createChatChanges } from './chat-changes.ts';
import { MESSAGES_COLLECTION } from './message-view.ts';

/** What records are about: read once for all of them. */
export interface LedgerQuery {
  connectionId: string;
  messageIds: readonly string[];
  waMessageIds: readonly string[];
}

/**
 * The messages that a batch of records is about, as they become while the records are gone through, and the writes
 * that make them so, in order.
 */
export interface Ledger {
  byId(messageId: string): MessageDoc | undefined;
  /** more than one where different senders chose the same id */
  byWaId(waMessageId: string): readonly MessageDoc[];
  /** Stages writes, and how a message will be after them. */
  stage(writes: readonly Write[], message?: MessageDoc): void;
  /** what was staged so far */
  readonly writes: readonly Write[];
  /** what becomes of the chats; their writes come last */
  readonly chats: ChatChanges;
}

export async function openLedger(store: Store, query: LedgerQuery): Promise<Ledger> {
  const messages = store.collection<MessageDoc>(MESSAGES_COLLECTION);
  const { connectionId, messageIds, waMessageIds } = query;
  const [named, met] = await Promise.all([
    messageIds.length > 0 ? messages.find({ _id: { $in: [...new Set(messageIds)] }, connectionId }) : [],
    waMessageIds.length > 0 ? messages.find({ connectionId, waMessageId: { $in: [...new Set(waMessageIds)] } }) : [],
  ]);
  const byId = new Map<string, MessageDoc>();
  const idsByWaId = new Map<string, Set<string>>();
  const writes: Write[] = [];
  const chats = createChatChanges();

  function put(message: MessageDoc): void {
    byId.set(message._id, message);
    const ids = idsByWaId.get(message.waMessageId) ?? new Set();
    idsByWaId.set(message.waMessageId, ids.add(message._id));
  }

  for (const message of [...named, ...met]) put(message);
  return {
    byId: (messageId) => byId.get(messageId),
    byWaId: (waMessageId) => [...(idsByWaId.get(waMessageId) ?? [])].flatMap((id) => byId.get(id) ?? []),
    stage(more, message) {
      writes.push(...more);
      if (message) put(message);
    },
    writes,
    chats,
  };
}
