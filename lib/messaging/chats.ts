import type { Caller } from '../contracts/action.ts';
import type { ChatsActions } from '../contracts/chats.contract.ts';
import type { Chat, Page } from '../contracts/entities.ts';
import { found, scopeFilter } from '../contracts/scope.ts';
import type { ChatDoc, ConnectionDoc, MessageDoc } from '../storage/collections.ts';
import { fitPage, listByCursor } from '../storage/cursor-list.ts';
import type { Store } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';
import { CHATS_COLLECTION, chatDocId } from './chat-changes.ts';
import type { Identities } from './identities.ts';
import { MESSAGES_COLLECTION, openContent, toMessage } from './message-view.ts';
import { parseRecipient } from './recipients.ts';

export interface ChatsOptions {
  store: Store;
  vault: Vault;
  identities: Identities;
}

/** The conversations of a connection, each tenant its own. */
export interface Chats {
  /** Newest message first. @throws NOT_FOUND for another's connection, BAD_REQUEST for a foreign cursor */
  list(caller: Caller, params: ChatsActions['chatList']['params']): Promise<Page<Chat>>;
  /** Nothing of it is unread any more. WhatsApp is not told. @throws NOT_FOUND, INVALID_RECIPIENT */
  seen(caller: Caller, params: ChatsActions['chatSeen']['params']): Promise<Chat>;
}

export function createChats({ store, vault, identities }: ChatsOptions): Chats {
  const chats = store.collection<ChatDoc>(CHATS_COLLECTION);
  const messages = store.collection<MessageDoc>(MESSAGES_COLLECTION);
  const connections = store.collection<ConnectionDoc>('connections');

  async function assertVisible(caller: Caller, connectionId: string | undefined): Promise<void> {
    if (connectionId === undefined) return;
    found(await connections.findOne({ _id: connectionId, deletedAt: null, ...scopeFilter(caller) }));
  }

  /** @returns the chat with its newest message as it is now; null while its messages are being deleted */
  async function view({ connectionId, chatId, name, lid, pn, unread }: ChatDoc): Promise<Chat | null> {
    /* the order of the message list, so that both name the same message */
    const newest = await messages.findOne(
      { connectionId, chatId },
      {
        sort: [
          ['createdAt', -1],
          ['_id', -1],
        ],
      },
    );
    if (!newest) return null;
    return { chatId, connectionId, name, lid, pn, lastMessage: toMessage(newest, openContent(vault, newest)), unread };
  }

  return {
    async list(caller, { connectionId, limit, after }) {
      await assertVisible(caller, connectionId);
      const filter = { ...scopeFilter(caller), ...(connectionId !== undefined && { connectionId }) };
      const found = await listByCursor(chats, { filter, by: 'lastAt', limit, after });
      const { items, next } = fitPage(found, 'lastAt', await Promise.all(found.items.map(view)));
      return { items: items.filter((chat) => chat !== null), next };
    },

    async seen(caller, { connectionId, chatId }) {
      const { id } = parseRecipient(chatId);
      await assertVisible(caller, connectionId);
      const forms = await identities.formsOf(id, { connectionId });
      const filter = { _id: { $in: forms.map((form) => chatDocId(connectionId, form)) }, ...scopeFilter(caller) };
      await chats.updateMany(filter, { $set: { unread: 0 } });
      const chat = await chats.findOne(filter, { sort: [['lastAt', -1]] });
      return found(await view(found(chat)));
    },
  };
}
