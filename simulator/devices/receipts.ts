import type { BinaryNode } from '@whiskeysockets/baileys';
import { userJid } from './jids.ts';
import { node, unixSeconds } from './nodes.ts';
import type { Envelope } from './receiver.ts';

/** How far a contact goes by itself with what it receives. */
export type ReceiptMode = 'none' | 'delivered' | 'read' | 'played';

export type ReadType = 'read' | 'read-self' | 'played';

/** Delivered: from every device, to the device that sent the stanza. */
export function deliveryReceipt({ stanza, id, fromMe, isPeer, chat }: Envelope): BinaryNode {
  const { from = '', participant } = stanza.attrs;
  if (isPeer) return node('receipt', { id, to: from, type: 'peer_msg' });
  // of a copy from another own device, which wants to know which chat it is about
  if (fromMe && !participant)
    return node('receipt', { id, to: from, type: 'sender', recipient: stanza.attrs.recipient ?? chat });
  return node('receipt', {
    id,
    to: from,
    ...(participant ? { participant } : {}),
    ...(fromMe ? { type: 'sender' } : {}),
  });
}

/** Read or played: from one device of the person who reads, to the account that wrote. */
export function readReceipt(
  { chat, participant }: Envelope['wire'],
  ids: readonly string[],
  type: ReadType,
): BinaryNode {
  const [id = '', ...more] = ids;
  const items = more.map((other) => node('item', { id: other }));
  const author: Record<string, string> = participant ? { participant: userJid(participant) } : {};
  const attrs = { id, to: chat, type, t: unixSeconds(), ...author };
  return node('receipt', attrs, items.length > 0 ? [node('list', {}, items)] : undefined);
}
