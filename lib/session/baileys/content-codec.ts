import { getContentType, normalizeMessageContent, proto } from '@whiskeysockets/baileys';
import type { MessageContent } from '../../contracts/entities.ts';
import { CastellanError } from '../../errors.ts';
import type { ContentCodec, DecodedMessage, MessageTarget } from '../../messaging/ports.ts';

const { Type: ProtocolType } = proto.Message.ProtocolMessage;

/** Parts of a message that carry keys or hints for devices, beside or instead of content. */
const INTERNAL_PARTS: ReadonlySet<string> = new Set([
  'senderKeyDistributionMessage',
  'fastRatchetKeySenderKeyDistributionMessage',
  'messageContextInfo',
  'protocolMessage',
]);

/**
 * Our content as WhatsApp's, to be encrypted and sent.
 * @throws UNSUPPORTED_CONTENT for kinds that cannot be sent
 */
export function encodeContent(content: MessageContent): proto.IMessage {
  if (content.type !== 'text') {
    throw new CastellanError('UNSUPPORTED_CONTENT', `Content of type ${content.type} cannot be sent.`);
  }
  return { extendedTextMessage: { text: content.text } };
}

/** @returns what an unpadded plaintext means, in our own types; never throws */
export function decodePlaintext(plaintext: Uint8Array): DecodedMessage {
  try {
    return interpret(proto.Message.decode(plaintext), true);
  } catch {
    return unsupported('undecodable');
  }
}

export const baileysContentCodec: ContentCodec = { decode: decodePlaintext };

function interpret(raw: proto.IMessage, outermost: boolean): DecodedMessage {
  const copy = raw.deviceSentMessage;
  if (outermost && copy?.message && copy.destinationJid) {
    return { kind: 'own-copy', chat: copy.destinationJid, message: interpret(copy.message, false) };
  }
  const message = normalizeMessageContent(raw) ?? {};
  return protocol(message) ?? reaction(message) ?? content(message);
}

function protocol(message: proto.IMessage): DecodedMessage | null {
  const part = message.protocolMessage;
  if (!part) return null;
  const target = targetOf(part.key);
  if (target && part.type === ProtocolType.REVOKE) return { kind: 'revoke', target };
  if (target && part.type === ProtocolType.MESSAGE_EDIT && part.editedMessage) {
    const edited = content(normalizeMessageContent(part.editedMessage) ?? {});
    return edited.kind === 'content' ? { kind: 'edit', target, content: edited.content } : { kind: 'internal' };
  }
  return { kind: 'internal' };
}

function reaction(message: proto.IMessage): DecodedMessage | null {
  const target = targetOf(message.reactionMessage?.key);
  return target ? { kind: 'reaction', target, emoji: message.reactionMessage?.text ?? '' } : null;
}

function targetOf(key: proto.IMessageKey | null | undefined): MessageTarget | null {
  return key?.id ? { waMessageId: key.id, fromMe: key.fromMe === true, participant: key.participant || null } : null;
}

function content(message: proto.IMessage): DecodedMessage {
  const known = text(message) ?? media(message);
  if (known) return { kind: 'content', content: known };
  const kind = partNames(message).find((name) => !INTERNAL_PARTS.has(name));
  return kind === undefined ? { kind: 'internal' } : unsupported(getContentType(message) ?? kind);
}

function text(message: proto.IMessage): MessageContent | null {
  const value = message.conversation || message.extendedTextMessage?.text;
  return value ? { type: 'text', text: value } : null;
}

function media(message: proto.IMessage): MessageContent | null {
  const { imageMessage, videoMessage, ptvMessage, audioMessage, documentMessage, stickerMessage } = message;
  if (imageMessage) return described('image', imageMessage);
  if (videoMessage ?? ptvMessage) return described('video', (videoMessage ?? ptvMessage) as Described);
  if (audioMessage) return described('audio', audioMessage);
  if (documentMessage) return described('document', documentMessage);
  if (stickerMessage) return described('sticker', stickerMessage);
  return null;
}

type MediaType = Exclude<MessageContent['type'], 'text' | 'reaction' | 'unsupported'>;
interface Described {
  mimetype?: string | null;
  caption?: string | null;
  fileName?: string | null;
}

function described(type: MediaType, part: Described): MessageContent {
  return {
    type,
    ...(part.mimetype && { mimetype: part.mimetype }),
    ...(part.caption && { caption: part.caption }),
    ...(part.fileName && { fileName: part.fileName }),
  };
}

/** Names of the parts that are present (a decoded message has the absent ones on its prototype, or as null). */
function partNames(message: proto.IMessage): string[] {
  return Object.entries(message)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name]) => name);
}

function unsupported(kind: string): DecodedMessage {
  return { kind: 'content', content: { type: 'unsupported', kind } };
}
