import type { Chat } from '../../../lib/contracts/entities.ts';
import { LoadMore } from '../../components/load-more.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { Time } from '../../components/time.tsx';
import { Link } from '../../routing/link.tsx';
import { chatHref } from './chat-address.ts';
import { titleOf } from './chat-list-state.ts';
import { previewOf } from './content-view.ts';
import { TickMark } from './tick-mark.tsx';
import type { Chats } from './use-chats.ts';

interface ChatListProps {
  connectionId: string;
  chats: Chats;
  openChatId: string | null;
}

/** The chats of a connection, newest first. */
export function ChatList({ connectionId, chats, openChatId }: ChatListProps) {
  return (
    <nav class="chat-list" aria-label="Chats">
      <Loaded resource={{ ...chats, data: chats.items }} label="Loading chats">
        {(items) =>
          items.length === 0 ? (
            <Empty icon="chat" title="No messages yet">
              What comes in appears here by itself. To write first, begin a new chat.
            </Empty>
          ) : (
            <>
              <ul>
                {items.map((chat) => (
                  <ChatItem
                    key={chat.chatId}
                    chat={chat}
                    href={chatHref(connectionId, chat.chatId)}
                    isOpen={chat.chatId === openChatId}
                  />
                ))}
              </ul>
              <LoadMore pages={chats} />
            </>
          )
        }
      </Loaded>
    </nav>
  );
}

function ChatItem({ chat, href, isOpen }: { chat: Chat; href: string; isOpen: boolean }) {
  const { lastMessage, unread } = chat;
  return (
    <li>
      <Link class="chat-item" href={href} aria-current={isOpen ? 'true' : undefined}>
        <span class="chat-name truncate">
          <bdi>{titleOf(chat)}</bdi>
        </span>
        <span class="chat-time small muted">
          <Time at={lastMessage.timestamp} />
        </span>
        <span class="chat-preview small muted truncate">
          {lastMessage.direction === 'outbound' && <TickMark status={lastMessage.status} />}
          <bdi>{previewOf(lastMessage.content)}</bdi>
        </span>
        {unread > 0 && (
          <span class="chat-unread">
            {unread}
            <span class="sr-only"> unread</span>
          </span>
        )}
      </Link>
    </li>
  );
}
