import type { MessageContent } from '../contracts/entities.ts';

/** What the messaging layer needs of whoever knows WhatsApp's own message format (`lib/session/baileys/content-codec.ts`). */
export interface ContentCodec {
  /**
   * Reads an unpadded plaintext (an encoded protobuf `Message`). Bytes that are no protobuf give
   * `{ type: 'unsupported', kind: 'undecodable' }`: they were acknowledged, so they must stay visible.
   */
  decode(plaintext: Uint8Array): DecodedMessage;
}

/** The message that a reaction, an edit or a revocation is about. */
export interface MessageTarget {
  waMessageId: string;
  /** written by the sender of the reaction/edit/revocation itself, as the sender sees it */
  fromMe: boolean;
  /** in groups: who wrote the target; null where the stanza does not say */
  participant: string | null;
}

export type DecodedMessage =
  | { kind: 'content'; content: MessageContent }
  /** `emoji` is empty when a reaction is taken back */
  | { kind: 'reaction'; target: MessageTarget; emoji: string }
  | { kind: 'edit'; target: MessageTarget; content: MessageContent }
  | { kind: 'revoke'; target: MessageTarget }
  /** what another device of the own account sent; `chat` is the WhatsApp id of the chat that it went to */
  | { kind: 'own-copy'; chat: string; message: DecodedMessage }
  /** keys, history, settings: between devices, nothing for people */
  | { kind: 'internal' };
