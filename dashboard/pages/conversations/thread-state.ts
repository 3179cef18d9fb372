import type { CastellanEvent, Message, MessageError } from '../../../lib/contracts/entities.ts';
import { type FollowUpData, isFollowUp } from './follow-up-state.ts';
import { isLater } from './tick-state.ts';

/** The messages of one chat that are loaded, oldest first, each once. */
export interface Thread {
  connectionId: string;
  chatId: string;
  messages: readonly Message[];
}

interface StatusData {
  messageId: string;
  status: Message['status'];
  error?: MessageError;
}

export const emptyThread = (connectionId: string, chatId: string): Thread => ({ connectionId, chatId, messages: [] });

/** @returns the thread with these messages in it, in any order and however often they come */
export function mergeMessages(thread: Thread, arrived: readonly Message[]): Thread {
  const mine = arrived.filter(
    ({ connectionId, chatId }) => connectionId === thread.connectionId && chatId === thread.chatId,
  );
  if (mine.length === 0) return thread;
  const byId = new Map(thread.messages.map((message) => [message.messageId, message]));
  for (const message of mine) byId.set(message.messageId, mergeMessage(byId.get(message.messageId), message));
  return { ...thread, messages: [...byId.values()].sort(byArrival) };
}

/**
 * The newest page, read again after a break. Where it does not reach back to what is loaded, something is missing in
 * between: then the thread begins anew with this page, and what is older is loaded again when somebody asks.
 */
export function mergeNewestPage(thread: Thread, page: readonly Message[], hasOlder: boolean): Thread {
  const known = new Set(thread.messages.map(({ messageId }) => messageId));
  const reaches = !hasOlder || known.size === 0 || page.some(({ messageId }) => known.has(messageId));
  return mergeMessages(reaches ? thread : { ...thread, messages: [] }, page);
}

/** An answer and an event about one message may come in any order: the later status and the later content win. */
export function mergeMessage(known: Message | undefined, arrived: Message): Message {
  if (!known) return arrived;
  const newest = arrived.updatedAt >= known.updatedAt ? arrived : known;
  const further = isLater(known.status, arrived.status) ? arrived : known;
  return { ...newest, status: further.status, error: further.error };
}

/** @returns the thread after an event; the same object where the event is about something else */
export function applyEvent(thread: Thread, event: CastellanEvent): Thread {
  if (event.connectionId !== thread.connectionId) return thread;
  if (event.type === 'message.received' || event.type === 'message.sent') {
    return mergeMessages(thread, [(event.data as { message: Message }).message]);
  }
  if (event.type === 'message.status') return withStatus(thread, event.data as StatusData);
  if (event.type === 'message.edited' && isFollowUp(event)) return withEdit(thread, event.data);
  return thread;
}

/**
 * An event that tells of a message which is not loaded and does not contain it: what another client has queued. Only
 * the list of messages knows its chat.
 */
export function isNews(thread: Thread, event: CastellanEvent): boolean {
  if (event.type !== 'message.status' || event.connectionId !== thread.connectionId) return false;
  const { messageId, status } = event.data as StatusData;
  return status === 'queued' && !thread.messages.some((message) => message.messageId === messageId);
}

function withStatus(thread: Thread, { messageId, status, error }: StatusData): Thread {
  return change(
    thread,
    (message) => message.messageId === messageId && isLater(message.status, status),
    (message) => ({ ...message, status, error: error ?? message.error }),
  );
}

function withEdit(thread: Thread, { messageId, content }: FollowUpData): Thread {
  if (content === null) return thread;
  return change(
    thread,
    (message) => message.messageId === messageId,
    (message) => ({ ...message, content }),
  );
}

function change(thread: Thread, which: (m: Message) => boolean, to: (m: Message) => Message): Thread {
  if (!thread.messages.some(which)) return thread;
  return { ...thread, messages: thread.messages.map((message) => (which(message) ? to(message) : message)) };
}

/** The order of the API's lists: by when Castellan took it, then by id. */
export function byArrival(a: Message, b: Message): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.messageId < b.messageId ? -1 : a.messageId > b.messageId ? 1 : 0;
}
