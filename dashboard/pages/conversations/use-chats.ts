import { useSignalEffect } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { Chat, Message } from '../../../lib/contracts/entities.ts';
import { useEvents } from '../../api/use-events.ts';
import { type PagedResource, usePages } from '../../api/use-pages.ts';
import { applyToChats, mergeChats, withMessage } from './chat-list-state.ts';

export interface Chats extends PagedResource<Chat> {
  /** a message that was sent from this page */
  add(message: Message): void;
}

/** The chats of a connection, kept up to date by the event stream. Remount for another connection. */
export function useChats(connectionId: string, openChatId: string | null): Chats {
  const pages = usePages<Chat>('/chat/list', { connectionId, limit: 100 });
  useEvents(['message.received', 'message.sent', 'message.status'], ({ event }) => {
    const chats = pages.items.value;
    if (event.connectionId !== connectionId || chats === null) return;
    // In a window that nobody looks at, the open chat is unread too.
    const lookedAt = document.hidden ? null : openChatId;
    pages.items.value = applyToChats(chats, event, lookedAt) as Chat[];
  });
  // A chat that came to the top meanwhile is on an older page too.
  useSignalEffect(() => {
    const items = pages.items.value;
    if (items && new Set(items.map(({ chatId }) => chatId)).size < items.length)
      pages.items.value = mergeChats([], items);
  });
  return useMemo(
    () => ({
      ...pages,
      add(message: Message) {
        pages.items.value = withMessage(pages.items.value ?? [], message, message.chatId);
      },
    }),
    [pages],
  );
}
