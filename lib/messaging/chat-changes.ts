import type { Party } from '../contracts/entities.ts';
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
  /** For the atomic group that the messages are in: one write a chat, however many messages it got. */
  writes(): Write[];
}

interface Change {
  newest: MessageDoc;
  /** inbound since the account's own last message */
  unread: number;
  /** the account wrote: whatever came before, it has seen */
  wrote: boolean;
  lastAt: number;
  lastInboundAt: number;
  partner: Party | null;
}

/**
 * The list of chats is kept while messages come, so that reading it never means going through messages. A row knows when
 * its newest message came and how much of it is unread: what came since the account wrote there or read it.
 */
export function createChatChanges(): ChatChanges {
  const changes = new Map<string, Change>();
  const readings = new Map<string, number>();

  return {
    arrived(message) {
      const _id = chatDocId(message.connectionId, message.chatId);
      const before = changes.get(_id);
      const inbound = message.direction === 'inbound';
      const at = message.createdAt;
      const partner = partnerOf(message);
      changes.set(_id, {
        newest: message,
        unread: inbound ? (before?.unread ?? 0) + 1 : 0,
        wrote: !inbound || (before?.wrote ?? false),
        lastAt: Math.max(at, before?.lastAt ?? 0),
        lastInboundAt: Math.max(inbound ? at : 0, before?.lastInboundAt ?? 0),
        partner: { ...(before?.partner ?? partner), ...(partner && known(partner)) } as Party | null,
      });
    },

    read(connectionId, chatId, upTo) {
      const _id = chatDocId(connectionId, chatId);
      readings.set(_id, Math.max(upTo, readings.get(_id) ?? 0));
    },

    writes: () => [
      ...[...changes].map(([_id, change]) => arrivalWrite(_id, change)),
      ...[...readings].map(([_id, upTo]) => readingWrite(_id, upTo)),
    ],
  };
}

/** @returns the write that takes a single message into its chat's row */
export function chatWrites(message: MessageDoc): Write[] {
  const changes = createChatChanges();
  changes.arrived(message);
  return changes.writes();
}

/** Whom a chat of two is with; in a group, the group. */
function partnerOf({ chatId, from, to }: MessageDoc): Party | null {
  return [to, from].find(({ id }) => id === chatId) ?? null;
}

/** What is not known now may have been known before. */
function known({ name, lid, pn }: Party): Partial<Pick<ChatDoc, 'name' | 'lid' | 'pn'>> {
  return { ...(name !== null && { name }), ...(lid !== null && { lid }), ...(pn !== null && { pn }) };
}

function arrivalWrite(_id: string, { newest, unread, wrote, lastAt, lastInboundAt, partner }: Change): Write {
  const { connectionId, userId, chatId } = newest;
  const names = partner ? known(partner) : {};
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
function readingWrite(_id: string, upTo: number): Write {
  const filter = { _id, lastInboundAt: { $lte: upTo } };
  return { op: 'update', collection: CHATS_COLLECTION, filter, update: { $set: { unread: 0 } }, expect: 'any' };
}
