import { useEffect, useRef } from 'preact/hooks';
import { post } from '../../api/client.ts';
import { useEvents } from '../../api/use-events.ts';

/** What comes in a burst is seen at once. */
const GATHER_MS = 800;

/**
 * Tells Castellan that the open chat is being looked at, so that nothing of it counts as unread: when it is opened with
 * unread messages, when one comes, and when somebody comes back to the window. WhatsApp is not told.
 * @param unread of the open chat, as the list says; 0 while there is none
 */
export function useSeen(connectionId: string, chatId: string | null, unread: number, onSeen: () => void): void {
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const latest = useRef(onSeen);
  latest.current = onSeen;

  function look(): void {
    if (chatId === null || document.hidden) return;
    latest.current();
    timer.current ??= setTimeout(() => {
      timer.current = null;
      // Lost, it is said again with the next message or visit.
      post('/chat/seen', { connectionId, chatId }).catch(() => {});
    }, GATHER_MS);
  }

  useEffect(() => {
    if (unread > 0) look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [connectionId, chatId, unread > 0]);
  useEffect(
    () => () => {
      clearTimeout(timer.current ?? undefined);
      timer.current = null;
    },
    [connectionId, chatId],
  );
  useEvents(['message.received'], ({ event }) => {
    const { message } = event.data as { message?: { chatId?: string } };
    if (event.connectionId === connectionId && message?.chatId === chatId) look();
  });
}
