import { deflateSync } from 'node:zlib';
import { proto } from '@whiskeysockets/baileys';
import { type MediaStore, uploadEncrypted } from './media.ts';

/** A chat that a phone had before a companion came. */
export interface HistoryChat {
  /** account (LID where there is one) or group JID */
  jid: string;
  pnJid?: string;
  name?: string;
  messages: proto.IWebMessageInfo[];
}

/** A chat as a test tells it, oldest message first. */
export interface PastChat {
  /** phone number or JID of an account, or a group JID */
  with: string;
  name?: string;
  messages: { text: string; fromMe?: boolean; id?: string }[];
}

/** One message a minute, the last one a minute ago. */
export function pastChat(past: PastChat, jid: string, pnJid: string | undefined, newId: () => string): HistoryChat {
  const now = Math.floor(Date.now() / 1000);
  const messages = past.messages.map(({ text, fromMe = false, id = newId() }, index) => ({
    key: { remoteJid: jid, fromMe, id },
    message: { conversation: text },
    messageTimestamp: now - 60 * (past.messages.length - index),
  }));
  return { jid, messages, ...(pnJid ? { pnJid } : {}), ...(past.name ? { name: past.name } : {}) };
}

const { HISTORY_SYNC_NOTIFICATION } = proto.Message.ProtocolMessage.Type;
const { INITIAL_BOOTSTRAP, ON_DEMAND, PUSH_NAME, RECENT } = proto.HistorySync.HistorySyncType;
const messagesKeptPerChat = 200;

/** The phone's chats: given at the start, then what it sees. */
export class PhoneHistory {
  /** how many messages of a chat a new companion gets; the older ones have to be asked for */
  recentPerChat = 50;
  private readonly chats = new Map<string, HistoryChat>();

  add(chat: HistoryChat): void {
    this.chats.set(chat.jid, chat);
  }

  record(jid: string, message: proto.IWebMessageInfo): void {
    const chat = this.chats.get(jid) ?? { jid, messages: [] };
    this.chats.set(jid, chat);
    chat.messages.push(message);
    if (chat.messages.length > messagesKeptPerChat) chat.messages.shift();
  }

  messagesOf(chat: string): readonly proto.IWebMessageInfo[] {
    return this.chats.get(chat)?.messages ?? [];
  }

  find(key: proto.IMessageKey | null | undefined): proto.IWebMessageInfo | undefined {
    const chats = key?.remoteJid ? [this.chats.get(key.remoteJid), ...this.chats.values()] : [];
    return chats.flatMap((chat) => chat?.messages ?? []).find((message) => message.key?.id === key?.id);
  }

  /** What a new companion gets, in the order in which phones send it. */
  initialSync(): proto.IHistorySync[] {
    const chats = [...this.chats.values()];
    const phoneNumberToLidMappings = chats.flatMap(({ jid, pnJid }) => (pnJid ? [{ lidJid: jid, pnJid }] : []));
    const pushnames = chats.flatMap(({ jid, name }) => (name ? [{ id: jid, pushname: name }] : []));
    return [
      // the newest message of every chat, then the rest: no message comes twice
      {
        syncType: INITIAL_BOOTSTRAP,
        conversations: chats.map((chat) => conversation(chat, chat.messages.slice(-1))),
        phoneNumberToLidMappings,
      },
      { syncType: PUSH_NAME, pushnames },
      {
        syncType: RECENT,
        conversations: chats.map((chat) => conversation(chat, chat.messages.slice(-this.recentPerChat, -1))),
        phoneNumberToLidMappings,
      },
    ];
  }

  /** Older messages of one chat than the one that the companion has. */
  onDemand(request: proto.Message.PeerDataOperationRequestMessage.IHistorySyncOnDemandRequest): proto.IHistorySync {
    const chat = this.chats.get(request.chatJid ?? '');
    const oldest = chat?.messages.findIndex(({ key }) => key?.id === request.oldestMsgId) ?? -1;
    const older =
      chat && oldest > 0 ? chat.messages.slice(Math.max(0, oldest - (request.onDemandMsgCount ?? 50)), oldest) : [];
    return { syncType: ON_DEMAND, conversations: chat ? [conversation(chat, older)] : [] };
  }
}

/**
 * Packs a history sync as phones do. The blob is uploaded *and* carried inline: Baileys looks for uploaded history on
 * WhatsApp's own host only (its notification has no URL, so `downloadContentFromMessage` falls back to
 * `mmg.whatsapp.net`), and announces that it takes inline payloads.
 */
export async function historyNotification(
  store: MediaStore,
  sync: proto.IHistorySync,
  chunkOrder: number,
  sessionId?: string,
): Promise<proto.IMessage> {
  const encoded = proto.HistorySync.encode({
    ...sync,
    syncType: sync.syncType ?? RECENT,
    progress: 100,
    chunkOrder,
  }).finish();
  const initialHistBootstrapInlinePayload = deflateSync(encoded);
  const { url: _, ...file } = await uploadEncrypted(store, initialHistBootstrapInlinePayload, 'md-msg-hist');
  const historySyncNotification: proto.Message.IHistorySyncNotification = {
    ...file,
    syncType: sync.syncType as proto.Message.HistorySyncType | undefined,
    chunkOrder,
    progress: 100,
    initialHistBootstrapInlinePayload,
    ...(sessionId ? { peerDataRequestSessionId: sessionId } : {}),
  };
  return { protocolMessage: { type: HISTORY_SYNC_NOTIFICATION, historySyncNotification } };
}

/** Newest first, as phones list them. */
function conversation(chat: HistoryChat, messages: readonly proto.IWebMessageInfo[]): proto.IConversation {
  const newest = chat.messages.at(-1)?.messageTimestamp ?? null;
  return {
    id: chat.jid,
    name: chat.name ?? null,
    pnJid: chat.pnJid ?? null,
    conversationTimestamp: newest,
    unreadCount: 0,
    messages: messages.toReversed().map((message, index) => ({ message, msgOrderId: messages.length - index })),
  };
}
