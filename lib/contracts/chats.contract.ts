import { defineActions } from './action.ts';
import type { Chat, Page } from './entities.ts';
import { id, optional, type PageParams, page } from './params.ts';

export interface ChatsActions {
  chatList: { params: PageParams & { connectionId?: string }; result: Page<Chat> };
  chatSeen: { params: { connectionId: string; chatId: string }; result: Chat };
}

/** Conversations; the `messages` service hosts them. */
export const chatsContract = defineActions({
  chatList: {
    name: 'messages.chatList',
    summary: 'List chats, the one with the newest message first',
    rest: 'GET /chat/list',
    auth: 'user',
    params: { connectionId: optional(id('connection')), ...page },
    query: ['connectionId', 'limit', 'after'],
    result: 'ChatPage',
  },
  chatSeen: {
    name: 'messages.chatSeen',
    summary: 'Count nothing of a chat as unread any more; WhatsApp and the sender are not told',
    rest: 'POST /chat/seen',
    auth: 'user',
    /* what it must look like is checked by parseRecipient, with its own error */
    params: { connectionId: id('connection'), chatId: { type: 'string', max: 1024 } },
    result: 'Chat',
    errors: ['INVALID_RECIPIENT'],
  },
});
