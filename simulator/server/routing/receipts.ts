import type { BinaryNode } from '@whiskeysockets/baileys';
import { isGroup } from '../../devices/jids.ts';
import type { DeviceAddress } from '../../ports.ts';
import { accountJid, deviceKey, type JidMode, jidOf, modeOf } from '../directory.ts';
import { attributes, child, children, node, unixSeconds } from '../stanzas.ts';
import type { World } from '../world.ts';

/*
 * Receipts go to all devices of the message's author, from a bare JID; a retry receipt goes to the exact device that
 * sent the message, from the exact device that cannot read it, with all its children. What one device read, the
 * account's other devices learn too.
 */

export function routeReceipt(from: DeviceAddress, receipt: BinaryNode, world: World): void {
  const { id, type } = receipt.attrs;
  if (!id) return;
  recordReceipt(from, receipt, world);
  if (type === 'retry') {
    routeRetry(from, receipt, world);
    return;
  }
  world.post.mailbox(from).receipted(receipt);
  if (type === 'read' || type === 'read-self') tellOwnDevices(from, receipt, world);
  if (type !== 'read-self') tellAuthor(from, receipt, world);
}

function recordReceipt(from: DeviceAddress, receipt: BinaryNode, world: World): void {
  const { id = '', type = 'delivered', to = '', participant } = receipt.attrs;
  const listed = children(child(receipt, 'list'), 'item').map((item) => item.attrs.id ?? '');
  world.witness.messages.receipt(from, [id, ...listed], type);
  if (type !== 'retry') return;
  world.witness.messages.retry(from, id, participant ?? to, child(receipt, 'retry')?.attrs.error);
}

function tellAuthor(from: DeviceAddress, receipt: BinaryNode, world: World): void {
  const { to, participant, type } = receipt.attrs;
  if (!to) return;
  const inGroup = isGroup(to) || to === 'status@broadcast';
  const author = world.directory.accountOf(inGroup ? (participant ?? '') : to);
  if (!author) return;
  const reader = accountJid(from, modeOf(inGroup ? (participant ?? to) : to));
  const attrs: Record<string, string> = inGroup ? { from: to, participant: reader } : { from: reader };
  const recipient = author.pn === from.pn ? receipt.attrs.recipient : undefined;
  const relayed = relay(receipt, { ...attrs, ...attributes({ recipient, type }) });
  world.post.deliverToAccount(author, relayed, from);
}

function tellOwnDevices(from: DeviceAddress, receipt: BinaryNode, world: World): void {
  const { to, participant, type } = receipt.attrs;
  const account = world.directory.account(from.pn);
  if (!to || !account || world.directory.accountOf(to)?.pn === from.pn) return;
  const own = accountJid(from, modeOf(to));
  world.post.deliverToAccount(
    account,
    relay(receipt, attributes({ from: own, recipient: to, participant, type })),
    from,
  );
}

function routeRetry(from: DeviceAddress, receipt: BinaryNode, world: World): void {
  const { to, participant, recipient, type } = receipt.attrs;
  if (!to) return;
  const inGroup = isGroup(to) || to === 'status@broadcast';
  const author = world.directory.deviceOf(inGroup ? (participant ?? '') : to);
  if (!author || deviceKey(author.address) === deviceKey(from)) return;
  const mode: JidMode = modeOf(inGroup ? (participant ?? '') : to);
  const asker = jidOf(from, mode);
  const attrs = inGroup ? { from: to, participant: asker } : { from: asker };
  const ownRecipient = author.address.pn === from.pn ? recipient : undefined;
  world.post.deliver(author.address, relay(receipt, attributes({ ...attrs, recipient: ownRecipient, type })));
}

function relay(receipt: BinaryNode, attrs: Record<string, string>): BinaryNode {
  const { id = '', t } = receipt.attrs;
  return node('receipt', { id, t: t ?? unixSeconds(), ...attrs }, receipt.content);
}
