import type { CastellanEvent, Chat, Message, MessageError, Party } from '../../../lib/contracts/entities.ts';
import { partyName } from './follow-up-state.ts';
import { byArrival, mergeMessage } from './thread-state.ts';
import { isLater } from './tick-state.ts';

/** @returns both lists as one, newest first, each chat once with its newest message */
export function mergeChats(known: readonly Chat[], arrived: readonly Chat[]): Chat[] {
  const byId = new Map(known.map((chat) => [chat.chatId, chat]));
  for (const chat of arrived) {
    const before = byId.get(chat.chatId);
    const newer = before && byArrival(before.lastMessage, chat.lastMessage) > 0;
    byId.set(chat.chatId, newer ? before : { ...chat, name: chat.name ?? before?.name ?? null });
  }
  return [...byId.values()].sort(newestFirst);
}

/**
 * @param openChatId the chat that is being looked at: what arrives there is not unread
 * @returns the chats after an event of their connection; the same list where it changes nothing
 */
export function applyToChats(
  chats: readonly Chat[],
  event: CastellanEvent,
  openChatId: string | null,
): readonly Chat[] {
  if (event.type === 'message.received' || event.type === 'message.sent') {
    return withMessage(chats, (event.data as { message: Message }).message, openChatId);
  }
  if (event.type !== 'message.status') return chats;
  const data = event.data as { messageId: string; status: Message['status']; error?: MessageError };
  return withStatus(chats, data);
}

/** @returns the chats with this message as the last of its chat, where it is the newest */
export function withMessage(chats: readonly Chat[], message: Message, openChatId: string | null): Chat[] {
  const before = chats.find(({ chatId }) => chatId === message.chatId);
  if (before && byArrival(before.lastMessage, message) > 0) return [...chats];
  const isNew = before?.lastMessage.messageId !== message.messageId;
  const partner = partnerOf(message);
  const row: Chat = {
    chatId: message.chatId,
    connectionId: message.connectionId,
    name: partner?.name ?? before?.name ?? null,
    lid: partner?.lid ?? before?.lid ?? null,
    pn: partner?.pn ?? before?.pn ?? null,
    lastMessage: isNew ? message : mergeMessage(before?.lastMessage, message),
    unread: isNew ? unreadAfter(message, before?.unread ?? 0, openChatId) : (before?.unread ?? 0),
  };
  return [row, ...chats.filter(({ chatId }) => chatId !== message.chatId)].sort(newestFirst);
}

/** As the server counts: whoever writes in a chat has seen what came before. */
function unreadAfter({ direction, chatId }: Message, before: number, openChatId: string | null): number {
  return direction === 'outbound' || chatId === openChatId ? 0 : before + 1;
}

export function markSeen(chats: readonly Chat[], chatId: string): Chat[] {
  return chats.map((chat) => (chat.chatId === chatId && chat.unread > 0 ? { ...chat, unread: 0 } : chat));
}

/** What a chat is called: the person's name, else the number, else the id. */
export function titleOf({ chatId, name, lid, pn }: Chat): string {
  return partyName({ id: chatId, name, lid, pn });
}

function withStatus(
  chats: readonly Chat[],
  { messageId, status, error }: { messageId: string; status: Message['status']; error?: MessageError },
): readonly Chat[] {
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

function newestFirst(a: Chat, b: Chat): number {
  return -byArrival(a.lastMessage, b.lastMessage);
}
