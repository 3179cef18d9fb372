import { proto } from '@whiskeysockets/baileys';
import fc from 'fast-check';
import { decodePlaintext, encodeContent } from '../../lib/session/baileys/content-codec.ts';

const encode = (message: proto.IMessage) => proto.Message.encode(message).finish();
const decode = (message: proto.IMessage) => decodePlaintext(encode(message));
const key = { remoteJid: '5@lid', fromMe: true, id: 'AB12' };

describe('content codec', () => {
  it('gives back every text that it encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), (text) => {
        fc.pre(text.isWellFormed());
        expect(decode(encodeContent({ type: 'text', text }))).toEqual({
          kind: 'content',
          content: { type: 'text', text },
        });
      }),
    );
  });

  it('never throws, whatever bytes were decrypted', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decodePlaintext(bytes).kind).toMatch(/^(content|internal|reaction|edit|revoke|own-copy)$/);
      }),
    );
    expect(decodePlaintext(Uint8Array.of(0xff, 0xff, 0xff))).toEqual({
      kind: 'content',
      content: { type: 'unsupported', kind: 'undecodable' },
    });
  });

  it('refuses to encode what cannot be sent', () => {
    expect(() => encodeContent({ type: 'unsupported', kind: 'x' })).toThrow(
      expect.objectContaining({ type: 'UNSUPPORTED_CONTENT' }),
    );
  });

  it.each<[string, proto.IMessage, unknown]>([
    ['plain text', { conversation: 'hi' }, { kind: 'content', content: { type: 'text', text: 'hi' } }],
    [
      'disappearing text',
      { ephemeralMessage: { message: { extendedTextMessage: { text: 'hi' } } } },
      { kind: 'content', content: { type: 'text', text: 'hi' } },
    ],
    [
      'a picture',
      { imageMessage: { mimetype: 'image/jpeg', caption: 'look' } },
      { kind: 'content', content: { type: 'image', mimetype: 'image/jpeg', caption: 'look' } },
    ],
    [
      'something that it does not know',
      { contactMessage: { displayName: 'x' } },
      { kind: 'content', content: { type: 'unsupported', kind: 'contactMessage' } },
    ],
    [
      'a reaction',
      { reactionMessage: { key, text: '👍' } },
      { kind: 'reaction', emoji: '👍', target: { waMessageId: 'AB12', fromMe: true, participant: null } },
    ],
    [
      'a revocation',
      { protocolMessage: { key, type: proto.Message.ProtocolMessage.Type.REVOKE } },
      { kind: 'revoke', target: { waMessageId: 'AB12', fromMe: true, participant: null } },
    ],
    [
      'an edit',
      {
        protocolMessage: {
          key,
          type: proto.Message.ProtocolMessage.Type.MESSAGE_EDIT,
          editedMessage: { conversation: 'better' },
        },
      },
      {
        kind: 'edit',
        target: { waMessageId: 'AB12', fromMe: true, participant: null },
        content: { type: 'text', text: 'better' },
      },
    ],
    [
      'a copy of what the own phone sent',
      { deviceSentMessage: { destinationJid: '5@lid', message: { conversation: 'hi' } } },
      { kind: 'own-copy', chat: '5@lid', message: { kind: 'content', content: { type: 'text', text: 'hi' } } },
    ],
    [
      'keys between devices',
      { protocolMessage: { type: proto.Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE } },
      { kind: 'internal' },
    ],
    [
      'a sender key alone',
      { senderKeyDistributionMessage: { groupId: '1@g.us' }, messageContextInfo: {} },
      { kind: 'internal' },
    ],
    [
      'a sender key with a text',
      { senderKeyDistributionMessage: { groupId: '1@g.us' }, conversation: 'hi' },
      { kind: 'content', content: { type: 'text', text: 'hi' } },
    ],
  ])('understands %s', (_name, message, expected) => {
    expect(decode(message)).toEqual(expected);
  });
});
