import type { CastellanEvent, Message, MessageError, Party } from '../../../lib/contracts/entities.ts';
import { nameOf } from './follow-up-state.ts';
import { mergeMessage } from './thread-state.ts';
import { isLater } from './tick-state.ts';

/** A chat as `GET /chat/list` shows it. */
export interface ChatRow {
  chatId: string;
  name: string | null;
  lastMessage: Message;
  /** inbound messages since somebody last looked */
  unread: number;
}

/** @returns both lists as one, newest first, each chat once with its newest message */
export function mergeChats(known: readonly ChatRow[], arrived: readonly ChatRow[]): ChatRow[] {
  const byId = new Map(known.map((chat) => [chat.chatId, chat]));
  for (const chat of arrived) {
    const before = byId.get(chat.chatId);
    const newer = before && before.lastMessage.messageId > chat.lastMessage.messageId;
    byId.set(chat.chatId, newer ? before : { ...chat, name: chat.name ?? before?.name ?? null });
  }
  return [...byId.values()].sort(newestFirst);
}

/**
 * @param openChatId the chat that is being looked at: what arrives there is not unread
 * @returns the chats after an event of their connection; the same list where it changes nothing
 */
export function applyToChats(
  chats: readonly ChatRow[],
  event: CastellanEvent,
  openChatId: string | null,
): readonly ChatRow[] {
  if (event.type === 'message.received' || event.type === 'message.sent') {
    return withMessage(chats, (event.data as { message: Message }).message, openChatId);
  }
  if (event.type !== 'message.status') return chats;
  const data = event.data as { messageId: string; status: Message['status']; error?: MessageError };
  return withStatus(chats, data);
}

/** @returns the chats with this message as the last of its chat, where it is the newest */
export function withMessage(chats: readonly ChatRow[], message: Message, openChatId: string | null): ChatRow[] {
  const before = chats.find(({ chatId }) => chatId === message.chatId);
  if (before && before.lastMessage.messageId > message.messageId) return [...chats];
  const isNew = before?.lastMessage.messageId !== message.messageId;
  const counts = isNew && message.direction === 'inbound' && message.chatId !== openChatId;
  const row: ChatRow = {
    chatId: message.chatId,
    name: partnerOf(message)?.name ?? before?.name ?? null,
    lastMessage: isNew ? message : mergeMessage(before?.lastMessage, message),
    unread: (before?.unread ?? 0) + (counts ? 1 : 0),
  };
  return [row, ...chats.filter(({ chatId }) => chatId !== message.chatId)].sort(newestFirst);
}

export function markSeen(chats: readonly ChatRow[], chatId: string): ChatRow[] {
  return chats.map((chat) => (chat.chatId === chatId && chat.unread > 0 ? { ...chat, unread: 0 } : chat));
}

/** What a chat is called: the person's name, else the number, else the id. */
export function titleOf(chat: ChatRow): string {
  const partner = partnerOf(chat.lastMessage);
  return chat.name ?? (partner ? nameOf(partner) : chat.chatId);
}

function withStatus(
  chats: readonly ChatRow[],
  { messageId, status, error }: { messageId: string; status: Message['status']; error?: MessageError },
): readonly ChatRow[] {
  const index = chats.findIndex(({ lastMessage }) => lastMessage.messageId === messageId);
  const chat = chats[index];
  if (!chat || !isLater(chat.lastMessage.status, status)) return chats;
  return chats.with(index, { ...chat, lastMessage: { ...chat.lastMessage, status, error: error ?? null } });
}

/** Whom a chat of two is with. In a group the one who wrote is not what the chat is called. */
function partnerOf({ direction, from, to, chatId }: Message): Party | null {
  const partner = direction === 'inbound' ? from : to;
  return partner.id === chatId ? partner : null;
}

function newestFirst(a: ChatRow, b: ChatRow): number {
  return a.lastMessage.messageId < b.lastMessage.messageId ? 1 : -1;
}
