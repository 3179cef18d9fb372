import type { Signal } from '@preact/signals';
import type { Message } from '../../../lib/contracts/entities.ts';
import { useEvents } from '../../api/use-events.ts';
import { announce } from '../../components/announcer.tsx';
import { Button } from '../../components/button.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { Composer } from './composer.tsx';
import { previewOf } from './content-view.ts';
import { type DayGroup, groupByDay } from './day-groups.ts';
import { DraftItem } from './draft-item.tsx';
import { type Draft, draftsOf } from './draft-state.ts';
import { adviceFor } from './failure-reason.ts';
import { type FollowUps, partyName } from './follow-up-state.ts';
import { MessageItem } from './message-item.tsx';
import { discard, drafts, retry, sendDraft } from './send-draft.ts';
import { useStickToEnd } from './use-stick-to-end.ts';
import { useThread } from './use-thread.ts';

interface ThreadViewProps {
  connectionId: string;
  chatId: string;
  title: string;
  followUps: Signal<FollowUps>;
  /** a message was sent from here */
  onSent: (message: Message) => void;
}

/** The messages of one chat and the box to write one. Remount for another chat. */
export function ThreadView({ connectionId, chatId, title, followUps, onSent }: ThreadViewProps) {
  const live = useThread(connectionId, chatId);
  const { messages } = live.thread.value;
  const waiting = draftsOf(drafts.value, { connectionId, chatId });
  const last = waiting.at(-1)?.draftId ?? messages.at(-1)?.messageId;
  const { box, content, atEnd, toEnd } = useStickToEnd(messages[0]?.messageId, last);
  useSpokenChanges(connectionId, chatId);

  function stored(message: Message): void {
    live.add(message);
    onSent(message);
  }
  function send(text: string): void {
    sendDraft({ connectionId, chatId, text }, stored);
    toEnd();
  }
  const sendAgain = ({ content }: Message) => content.type === 'text' && send(content.text);

  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard */}
      <section class="thread-scroll" ref={box} tabIndex={0} aria-label={`Messages with ${title}`}>
        <div ref={content}>
          <Loaded resource={{ ...live.pages, data: live.pages.items }} label="Loading messages">
            {() => (
              <>
                <Older live={live} />
                {messages.length + waiting.length === 0 && <Empty icon="chat" title="No messages in this chat yet" />}
                {groupByDay(messages).map((day) => (
                  <Day key={day.key} day={day} followUps={followUps.value} onSendAgain={sendAgain} />
                ))}
                <ul>
                  {waiting.map((draft) => (
                    <DraftItem
                      key={draft.draftId}
                      draft={draft}
                      onRetry={(again: Draft) => retry(again, stored)}
                      onDiscard={({ draftId }) => discard(draftId)}
                    />
                  ))}
                </ul>
              </>
            )}
          </Loaded>
        </div>
      </section>
      {!atEnd.value && (
        <div class="to-end">
          <Button small onClick={toEnd}>
            Newest messages
          </Button>
        </div>
      )}
      <Composer to={title} onSend={send} />
    </>
  );
}

function Older({ live: { pages } }: { live: ReturnType<typeof useThread> }) {
  if (!pages.hasMore.value) return null;
  return (
    <div class="thread-older">
      <Button small busy={pages.loadingMore.value} onClick={() => void pages.loadMore()}>
        Show older messages
      </Button>
    </div>
  );
}

interface DayProps {
  day: DayGroup;
  followUps: FollowUps;
  onSendAgain: (message: Message) => void;
}

function Day({ day, followUps, onSendAgain }: DayProps) {
  return (
    <section aria-label={day.label}>
      <p class="day-label" aria-hidden="true">
        {day.label}
      </p>
      <ul>
        {day.messages.map((message) => (
          <MessageItem key={message.messageId} {...{ message, followUps, onSendAgain }} />
        ))}
      </ul>
    </section>
  );
}

/** What changes in the open chat is said by a screen reader: what arrives, and what failed. */
function useSpokenChanges(connectionId: string, chatId: string): void {
  useEvents(['message.received', 'message.status'], ({ event }) => {
    if (event.connectionId !== connectionId) return;
    const { message, status, error } = event.data as unknown as { message?: Message } & Pick<
      Message,
      'status' | 'error'
    >;
    if (message?.chatId === chatId) announce(`${partyName(message.from)}: ${previewOf(message.content)}`);
    if (status === 'failed') announce(`A message failed. ${adviceFor({ status, error })?.why ?? ''}`);
  });
}
