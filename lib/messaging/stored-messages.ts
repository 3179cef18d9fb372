import type { MessageContent } from '../contracts/entities.ts';
import type { MessageDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';
import { MESSAGES_COLLECTION, openContent } from './message-view.ts';

/** What the session layer asks of the messages that were stored. */
export interface StoredMessages {
  /** What was sent under this WhatsApp id, for a contact that asks for it again; null = not ours. */
  loadOutgoing(connectionId: string, waMessageId: string): Promise<MessageContent | null>;
  /** Whether a Message of this connection came in this ciphertext (SHA-256, hex): it is receipted, not decrypted again. */
  isStoredCiphertext(connectionId: string, cipherHash: string): Promise<boolean>;
}

export function createStoredMessages({ store, vault }: { store: Store; vault: Vault }): StoredMessages {
  const messages = store.collection<MessageDoc>(MESSAGES_COLLECTION);
  return {
    async loadOutgoing(connectionId, waMessageId) {
      const doc = await messages.findOne({ connectionId, waMessageId, direction: 'outbound' });
      return doc && openContent(vault, doc);
    },
    isStoredCiphertext: async (connectionId, cipherHash) => (await messages.count({ connectionId, cipherHash })) > 0,
  };
}
