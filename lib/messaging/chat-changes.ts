import type { ChatDoc, MessageDoc } from '../storage/collections.ts';
import type { Update, Write } from '../storage/port.ts';

export const CHATS_COLLECTION = 'chats';

export const chatDocId = (connectionId: string, chatId: string): string => `${connectionId}:${chatId}`;

/** What new messages and readings do to the rows of their chats. */
export interface ChatChanges {
  /** A message that is new to the store. */
  arrived(message: MessageDoc): void;
  /** The account read, on another device, what had come by then. */
  read(connectionId: string, chatId: string, upTo: number): void;
  /** For the atomic group that the messages are in: one write for all that a chat got between two readings. */
  writes(): Write[];
}

interface Arrivals {
  newest: MessageDoc;
  /** inbound since the account's own last message */
  unread: number;
  /** the account wrote: whatever came before, it has seen */
  wrote: boolean;
  lastAt: number;
  lastInboundAt: number;
  names: Partial<Names>;
}

interface Reading {
  readUpTo: number;
}

type Names = Pick<ChatDoc, 'name' | 'lid' | 'pn'>;

/**
 * The list of chats is kept while messages come, so that reading it never means going through messages. A row knows when
 * its newest message came and how much of it is unread: what came since the account wrote there or read it.
 */
export function createChatChanges(): ChatChanges {
  /** by chat, in order */
  const changes = new Map<string, (Arrivals | Reading)[]>();

  function changesOf(_id: string): (Arrivals | Reading)[] {
    const known = changes.get(_id) ?? [];
    changes.set(_id, known);
    return known;
  }

  return {
    arrived(message) {
      const ofChat = changesOf(chatDocId(message.connectionId, message.chatId));
      const last = ofChat.at(-1);
      if (last && 'newest' in last) ofChat[ofChat.length - 1] = withMessage(last, message);
      else ofChat.push(withMessage(NOTHING_YET, message));
    },
    read: (connectionId, chatId, readUpTo) => void changesOf(chatDocId(connectionId, chatId)).push({ readUpTo }),
    writes: () =>
      [...changes].flatMap(([_id, ofChat]) =>
        ofChat.map((change) => ('newest' in change ? arrivalWrite(_id, change) : readingWrite(_id, change))),
      ),
  };
}

const NOTHING_YET = { unread: 0, wrote: false, lastAt: 0, lastInboundAt: 0, names: {} };

function withMessage(before: Omit<Arrivals, 'newest'>, message: MessageDoc): Arrivals {
  const { createdAt: at, direction } = message;
  const inbound = direction === 'inbound';
  return {
    newest: message,
    unread: inbound ? before.unread + 1 : 0,
    wrote: before.wrote || !inbound,
    lastAt: Math.max(at, before.lastAt),
    lastInboundAt: inbound ? Math.max(at, before.lastInboundAt) : before.lastInboundAt,
    names: { ...before.names, ...namesIn(message) },
  };
}

/** @returns the write that takes a single message into its chat's row */
export function chatWrites(message: MessageDoc): Write[] {
  const changes = createChatChanges();
  changes.arrived(message);
  return changes.writes();
}

/** What a message says about whom its chat is with. What is not known now may have been known before. */
function namesIn({ chatId, from, to }: MessageDoc): Partial<Names> {
  const partner = [to, from].find(({ id }) => id === chatId);
  if (!partner) return {};
  const { name, lid, pn } = partner;
  return { ...(name !== null && { name }), ...(lid !== null && { lid }), ...(pn !== null && { pn }) };
}

function arrivalWrite(_id: string, { newest, unread, wrote, lastAt, lastInboundAt, names }: Arrivals): Write {
  const { connectionId, userId, chatId } = newest;
  const unnamed = Object.fromEntries(['name', 'lid', 'pn'].filter((key) => !(key in names)).map((key) => [key, null]));
  const update: Update = {
    $set: { ...names, ...(wrote && { unread }) },
    $setOnInsert: { connectionId, userId, chatId, ...unnamed },
    $inc: wrote ? {} : { unread },
    $max: { lastAt, lastInboundAt },
  };
  return { op: 'update', collection: CHATS_COLLECTION, filter: { _id }, update, upsert: true };
}

/** Where something came after what was read, the next reading says it. */
function readingWrite(_id: string, { readUpTo }: Reading): Write {
  const filter = { _id, lastInboundAt: { $lte: readUpTo } };
  return { op: 'update', collection: CHATS_COLLECTION, filter, update: { $set: { unread: 0 } }, expect: 'any' };
}
