import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Message } from '../../../lib/contracts/entities.ts';
import { connectionOf } from '../../api/connections-store.ts';
import { Button } from '../../components/button.tsx';
import { Notice } from '../../components/notice.tsx';
import { Empty } from '../../components/states.tsx';
import { statusWords } from '../../components/status-words.ts';
import { Link } from '../../routing/link.tsx';
import { navigate } from '../../routing/router.ts';
import { chatHref } from './chat-address.ts';
import { ChatList } from './chat-list.tsx';
import { markSeen, titleOf } from './chat-list-state.ts';
import { COMPOSER_ID } from './composer.tsx';
import { NewChatDialog } from './new-chat-dialog.tsx';
import { ThreadView } from './thread-view.tsx';
import { useChats } from './use-chats.ts';
import { useFollowUps } from './use-follow-ups.ts';
import { useSeen } from './use-seen.ts';

/** The chats of one connection beside the open one; on a phone one after the other. Remount for another connection. */
export function Conversations({ connectionId, chatId }: { connectionId: string; chatId: string | null }) {
  const chats = useChats(connectionId, chatId);
  const followUps = useFollowUps(connectionId);
  const writing = useSignal(false);
  const row = chats.items.value?.find((chat) => chat.chatId === chatId);
  const heading = useFocusOnChange(chatId);
  useSeen(connectionId, chatId, row?.unread ?? 0, () => {
    if (chatId !== null && chats.items.value) chats.items.value = markSeen(chats.items.value, chatId);
  });

  function sentNew(message: Message): void {
    writing.value = false;
    chats.add(message);
    navigate(chatHref(connectionId, message.chatId));
  }

  const title = row ? titleOf(row) : (chatId ?? '');
  return (
    <>
      <div class={chatId === null ? 'chat-layout card flush' : 'chat-layout card flush has-chat'}>
        <div class="chat-side">
          <div class="chat-side-head">
            <h2>Chats</h2>
            <Button small icon="plus" onClick={() => (writing.value = true)}>
              New chat
            </Button>
          </div>
          <ChatList connectionId={connectionId} chats={chats} openChatId={chatId} />
        </div>
        <section class="chat-main" aria-label={chatId === null ? 'No chat is open' : `Chat with ${title}`}>
          {chatId === null ? (
            <Empty icon="chat" title="No chat is open">
              Choose one of the list.
            </Empty>
          ) : (
            <>
              <div class="chat-head">
                <Link class="chat-back" href={chatHref(connectionId, null)}>
                  All chats
                </Link>
                <h2 ref={heading} tabIndex={-1} class="truncate">
                  <bdi>{title}</bdi>
                </h2>
                <code class="small muted truncate chat-id">{chatId}</code>
              </div>
              <StateNotice connectionId={connectionId} />
              <ThreadView key={chatId} {...{ connectionId, chatId, title, followUps }} onSent={chats.add} />
            </>
          )}
        </section>
      </div>
      {writing.value && (
        <NewChatDialog connectionId={connectionId} onSent={sentNew} onClose={() => (writing.value = false)} />
      )}
    </>
  );
}

/** What the connection's state means for somebody who wants to write. */
function StateNotice({ connectionId }: { connectionId: string }) {
  const connection = connectionOf(connectionId);
  if (!connection || connection.status === 'open') return null;
  const { label, meaning, advice, tone } = statusWords(connection.status);
  return (
    <Notice tone={tone} title={label} actions={<Link href={`/connections/${connectionId}`}>To the connection</Link>}>
      {meaning} {advice}
    </Notice>
  );
}

/**
 * Who opens another chat can write at once, or, where the focus would bring up a keyboard over what is to be read, is at
 * its heading. Not when the page itself is opened: then the page's heading has the focus.
 */
function useFocusOnChange(chatId: string | null) {
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(chatId);
  useEffect(() => {
    const composer = matchMedia('(pointer: fine)').matches ? document.getElementById(COMPOSER_ID) : null;
    if (before.current !== chatId) (composer ?? heading.current)?.focus({ preventScroll: true });
    before.current = chatId;
  }, [chatId]);
  return heading;
}
