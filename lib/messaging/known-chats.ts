import type { MessageDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import { MESSAGES_COLLECTION } from './message-view.ts';
import { ACCEPTED_RANK, FINAL_FAILURE_RANK } from './status.ts';

/**
 * Which chats of a connection WhatsApp has let a message pass in, either way. The others are new: they are what a
 * reach-out restriction forbids.
 */
export interface KnownChats {
  /** @returns those of the chats that are new */
  newAmong(chatIds: Iterable<string>): Promise<Set<string>>;
}

export function createKnownChats(store: Store, connectionId: string): KnownChats {
  const messages = store.collection<MessageDoc>(MESSAGES_COLLECTION);
  const known = new Set<string>();
  const passed = { $gte: ACCEPTED_RANK, $lt: FINAL_FAILURE_RANK };

  async function look(chatId: string): Promise<void> {
    if (await messages.findOne({ connectionId, chatId, statusRank: passed })) known.add(chatId);
  }

  return {
    async newAmong(chatIds) {
      const unsure = [...chatIds].filter((chatId) => !known.has(chatId));
      await Promise.all(unsure.map(look));
      return new Set(unsure.filter((chatId) => !known.has(chatId)));
    },
  };
}
