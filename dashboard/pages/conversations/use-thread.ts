import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Message } from '../../../lib/contracts/entities.ts';
import { useEvents } from '../../api/use-events.ts';
import { type PagedResource, usePages } from '../../api/use-pages.ts';
import { applyEvent, emptyThread, isNews, mergeMessages, mergeNewestPage, type Thread } from './thread-state.ts';

export interface LiveThread {
  thread: Signal<Thread>;
  pages: PagedResource<Message>;
  /** a message that was sent from this page */
  add(message: Message): void;
}

const TYPES = ['message.received', 'message.sent', 'message.status', 'message.edited'] as const;
const PAGE_SIZE = 50;
/** What is queued from this page is answered within it; what another client queued can wait so long. */
const LOOK_AGAIN_MS = 1_500;

/** The messages of a chat, kept up to date by the event stream. Remount for another chat. */
export function useThread(connectionId: string, chatId: string): LiveThread {
  const thread = useSignal(emptyThread(connectionId, chatId));
  const pages = usePages<Message>('/message/list', { connectionId, chatId, limit: PAGE_SIZE });
  const lookAgain = useLater(() => void pages.reload(), LOOK_AGAIN_MS);

  useSignalEffect(() => {
    const items = pages.items.value;
    if (items) thread.value = mergeNewestPage(thread.peek(), items, items.length >= PAGE_SIZE);
  });
  useEvents(TYPES, ({ event }) => {
    thread.value = applyEvent(thread.value, event);
    if (isNews(thread.value, event)) lookAgain(() => isNews(thread.value, event));
  });
  return {
    thread,
    pages,
    add(message) {
      thread.value = mergeMessages(thread.value, [message]);
    },
  };
}

/** Runs once a while after it was asked for, however often that was, if one of the reasons still holds. */
function useLater(run: () => void, delayMs: number): (stillWanted: () => boolean) => void {
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const reasons = useRef<(() => boolean)[]>([]);
  useEffect(() => () => clearTimeout(timer.current ?? undefined), []);
  return (stillWanted) => {
    reasons.current.push(stillWanted);
    timer.current ??= setTimeout(() => {
      timer.current = null;
      const wanted = reasons.current.some((reason) => reason());
      reasons.current = [];
      if (wanted) run();
    }, delayMs);
  };
}
