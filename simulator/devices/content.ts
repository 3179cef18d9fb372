import { randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';

type Content = proto.IMessage;

/** What an inbox shows of a message. */
export interface Summary {
  /** `text`, `image`, `reaction`, `edit`, `revoke`, ... or the proto field's own name */
  type: string;
  text?: string;
}

/** How a message travels: attributes of its stanza and of its `<enc>`. */
export interface Wire {
  type: 'text' | 'media' | 'reaction';
  stanzaAttrs: Record<string, string>;
  encAttrs: Record<string, string>;
}

const mediaFields = {
  imageMessage: 'image',
  videoMessage: 'video',
  audioMessage: 'audio',
  documentMessage: 'document',
  stickerMessage: 'sticker',
} as const;

const { MESSAGE_EDIT, REVOKE } = proto.Message.ProtocolMessage.Type;

/** Clients pad with 1 to 16 bytes, each of them the length of the padding. */
export function pad(bytes: Uint8Array): Buffer {
  const length = ((randomBytes(1)[0] ?? 0) & 0x0f) + 1;
  return Buffer.concat([bytes, Buffer.alloc(length, length)]);
}

export function unpad(bytes: Buffer): Buffer {
  const length = bytes.at(-1) ?? 0;
  if (length === 0 || length > bytes.length) throw new Error('Bad padding');
  return bytes.subarray(0, -length);
}

export const encodeContent = (content: Content): Buffer => pad(proto.Message.encode(content).finish());

export const textContent = (text: string): Content => ({
  conversation: text,
  messageContextInfo: { messageSecret: randomBytes(32) },
});

export const reactionContent = (key: proto.IMessageKey, emoji: string): Content => ({
  reactionMessage: { key, text: emoji, senderTimestampMs: Date.now() },
});

export const editContent = (key: proto.IMessageKey, text: string): Content => ({
  protocolMessage: { key, type: MESSAGE_EDIT, editedMessage: { conversation: text }, timestampMs: Date.now() },
});

export const revokeContent = (key: proto.IMessageKey): Content => ({ protocolMessage: { key, type: REVOKE } });

/** The copy that the sender's other devices get. */
export const sentCopy = (content: Content, destinationJid: string): Content => ({
  deviceSentMessage: { destinationJid, message: content },
  messageContextInfo: content.messageContextInfo ?? null,
});

/** Takes the wrappers off: what a device-sent, ephemeral, view-once or captioned-document message carries. */
export function unwrap(content: Content): Content {
  const inner =
    content.deviceSentMessage?.message ??
    content.ephemeralMessage?.message ??
    content.viewOnceMessage?.message ??
    content.viewOnceMessageV2?.message ??
    content.documentWithCaptionMessage?.message ??
    content.editedMessage?.message;
  return inner ? unwrap(inner) : content;
}

export function summarize(content: Content): Summary | undefined {
  const message = unwrap(content);
  const text = message.conversation || message.extendedTextMessage?.text;
  if (text) return { type: 'text', text };
  if (message.reactionMessage) return { type: 'reaction', text: message.reactionMessage.text ?? '' };
  if (message.protocolMessage) return summarizeProtocol(message.protocolMessage);
  for (const [field, type] of Object.entries(mediaFields)) {
    const media = message[field as keyof typeof mediaFields];
    if (media) return 'caption' in media && media.caption ? { type, text: media.caption } : { type };
  }
  return otherContent(message);
}

function summarizeProtocol(message: proto.Message.IProtocolMessage): Summary {
  if (message.type === MESSAGE_EDIT && message.editedMessage) {
    const text = summarize(message.editedMessage)?.text;
    return text === undefined ? { type: 'edit' } : { type: 'edit', text };
  }
  return { type: message.type === REVOKE ? 'revoke' : 'protocol' };
}

/** Undefined for what a person never sees, such as a bare sender key. */
function otherContent(message: Content): Summary | undefined {
  const silent = new Set(['senderKeyDistributionMessage', 'messageContextInfo']);
  const field = Object.keys(message).find((name) => !silent.has(name) && message[name as keyof Content]);
  return field ? { type: field.replace(/Message$/, '') } : undefined;
}

export function wireOf(content: Content): Wire {
  if (content.reactionMessage) return { type: 'reaction', stanzaAttrs: {}, encAttrs: { 'decrypt-fail': 'hide' } };
  for (const [field, mediatype] of Object.entries(mediaFields)) {
    if (content[field as keyof typeof mediaFields]) return { type: 'media', stanzaAttrs: {}, encAttrs: { mediatype } };
  }
  const { type } = content.protocolMessage ?? {};
  const edit = type === MESSAGE_EDIT ? '1' : type === REVOKE ? '7' : undefined;
  return { type: 'text', stanzaAttrs: edit ? { edit } : {}, encAttrs: {} };
}
