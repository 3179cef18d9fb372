import type { BinaryNode } from '@whiskeysockets/baileys';
import { isGroup, parseJid } from '../../devices/jids.ts';
import type { DeviceAddress } from '../../ports.ts';
import { type Account, accountJid, type Device, deviceKey, type JidMode, jidOf, modeOf } from '../directory.ts';
import { attributes, child, children, node, nodesOf, unixSeconds } from '../stanzas.ts';
import type { World } from '../world.ts';

/*
 * How a message gets about. The sender encrypted it for every device by itself:
 *   1:1    <participants><to jid><enc/></to>...</participants>: each device gets its own <enc>; the sender's other
 *          devices get theirs with `recipient` = the chat
 *   one    <enc/> straight in the message: for the one device that `to` names (peer messages, resends after a retry)
 *   group  <enc type="skmsg"/> for all devices of all members, with the sender key in <participants> for who lacks it;
 *          with `participant` it is a resend to that one device and is not fanned out
 * `device-identity` of the sender goes along with a `pkmsg`. Nothing is echoed to the sending device.
 */

/** Attributes of the sender's stanza that the readers get to see. */
const passedOn = ['type', 'edit', 'category', 'expiration'] as const;
const forServerOnly = new Set(['participants', 'enc', 'device-identity', 'tctoken', 'reporting', 'privacy_token']);

export interface Refusal {
  error: string;
}

/** Puts the message on its way; a refusal becomes the error of the sender's ack. */
export function routeMessage(from: DeviceAddress, stanza: BinaryNode, world: World): Refusal | undefined {
  const { to, id } = stanza.attrs;
  if (!to || !id) return { error: '400' };
  if (isGroup(to)) return routeToGroup(from, stanza, to, world);
  if (to === 'status@broadcast') return routeStatus(from, stanza, world);
  return routeToAccount(from, stanza, to, world);
}

function routeToAccount(from: DeviceAddress, stanza: BinaryNode, to: string, world: World): Refusal | undefined {
  const chat = world.directory.accountOf(to);
  if (!chat) return { error: '404' };
  const letter = new Letter(from, stanza, world);
  const mode = modeOf(to);
  const fanOut = child(stanza, 'participants');
  const targets = fanOut ? recipients(fanOut, world) : directTarget(to, stanza, world);
  for (const { device, encryptions } of targets) {
    if (device.address.pn === from.pn) letter.toOwn(device, encryptions, chat, mode, to);
    else if (device.address.pn === chat.pn && !chat.blocked.has(from.pn)) letter.toPeer(device, encryptions, mode);
  }
  return undefined;
}

function routeToGroup(from: DeviceAddress, stanza: BinaryNode, to: string, world: World): Refusal | undefined {
  const group = world.groups.get(to);
  if (!group) return { error: '404' };
  if (!group.mayPost(from.pn)) return { error: '403' };
  const letter = new Letter(from, stanza, world);
  const { participant, addressing_mode: addressing } = stanza.attrs;
  if (participant) {
    const device = world.directory.deviceOf(participant);
    if (device) letter.toMember(device, children(stanza, 'enc'), to, modeOf(participant));
    return undefined;
  }
  const mode = addressing === 'pn' || addressing === 'lid' ? addressing : group.mode;
  const senderKeys = new Map<string, BinaryNode[]>();
  for (const { device, encryptions } of recipients(child(stanza, 'participants'), world)) {
    senderKeys.set(deviceKey(device.address), encryptions);
  }
  for (const pn of group.members()) {
    for (const device of world.directory.account(pn)?.devices.values() ?? []) {
      const own = senderKeys.get(deviceKey(device.address)) ?? [];
      letter.toMember(device, [...own, ...children(stanza, 'enc')], to, mode);
    }
  }
  return undefined;
}

function routeStatus(from: DeviceAddress, stanza: BinaryNode, world: World): undefined {
  const letter = new Letter(from, stanza, world);
  const fanOut = child(stanza, 'participants');
  const mode = modeOf(children(fanOut, 'to')[0]?.attrs.jid ?? '');
  for (const { device, encryptions } of recipients(fanOut, world)) {
    letter.toMember(device, [...encryptions, ...children(stanza, 'enc')], 'status@broadcast', mode);
  }
}

interface Target {
  device: Device;
  encryptions: BinaryNode[];
}

/** Devices that are gone are skipped: the sender's list was old. */
function recipients(fanOut: BinaryNode | undefined, world: World): Target[] {
  return children(fanOut, 'to').flatMap((to) => {
    const device = to.attrs.jid ? world.directory.deviceOf(to.attrs.jid) : undefined;
    return device ? [{ device, encryptions: children(to, 'enc') }] : [];
  });
}

function directTarget(to: string, stanza: BinaryNode, world: World): Target[] {
  const device = world.directory.deviceOf(to);
  return device ? [{ device, encryptions: children(stanza, 'enc') }] : [];
}

/** One message on its way, to be addressed to each reader. */
class Letter {
  private readonly from: DeviceAddress;
  private readonly stanza: BinaryNode;
  private readonly world: World;
  private readonly common: Record<string, string>;
  private readonly shared: BinaryNode[];

  constructor(from: DeviceAddress, stanza: BinaryNode, world: World) {
    this.from = from;
    this.stanza = stanza;
    this.world = world;
    const { id = '' } = stanza.attrs;
    const pushName = world.directory.account(from.pn)?.pushName;
    const kept = Object.fromEntries(passedOn.map((name) => [name, stanza.attrs[name]]));
    this.common = attributes({ id, t: unixSeconds(), notify: pushName || undefined, ...kept });
    this.shared = nodesOf(stanza).filter(({ tag }) => !forServerOnly.has(tag));
  }

  toPeer(device: Device, encryptions: BinaryNode[], mode: JidMode): void {
    const sender = accountJid(this.from, mode === 'lid' ? 'pn' : 'lid');
    const alternative: Record<string, string> = mode === 'lid' ? { sender_pn: sender } : { sender_lid: sender };
    this.send(device, { from: jidOf(this.from, mode), ...alternative }, encryptions);
  }

  /** @param to the `to` of the stanza, which names the own device when a resend or a peer message goes to it alone */
  toOwn(device: Device, encryptions: BinaryNode[], chat: Account, mode: JidMode, to: string): void {
    const { category, recipient } = this.stanza.attrs;
    const from = jidOf(this.from, mode);
    if (category === 'peer') {
      this.send(device, { from }, encryptions);
      return;
    }
    const isDirect = !child(this.stanza, 'participants');
    const chatJid = recipient ?? (isDirect && parseJid(to).device !== 0 ? undefined : accountJid(chat, mode));
    if (chatJid === undefined) {
      this.send(device, { from }, encryptions);
      return;
    }
    const peer = this.world.directory.accountOf(chatJid);
    const other = peer && accountJid(peer, mode === 'lid' ? 'pn' : 'lid');
    const alternative = attributes(mode === 'lid' ? { peer_recipient_pn: other } : { peer_recipient_lid: other });
    this.send(device, { from, recipient: chatJid, ...alternative }, encryptions);
  }

  toMember(device: Device, encryptions: BinaryNode[], group: string, mode: JidMode): void {
    const participant = jidOf(this.from, mode);
    const other = accountJid(this.from, mode === 'lid' ? 'pn' : 'lid');
    const alternative: Record<string, string> = mode === 'lid' ? { participant_pn: other } : { participant_lid: other };
    this.send(device, { from: group, participant, ...alternative, addressing_mode: mode }, encryptions);
  }

  private send(device: Device, attrs: Record<string, string>, encryptions: BinaryNode[]): void {
    if (deviceKey(device.address) === deviceKey(this.from)) return;
    const identity = child(this.stanza, 'device-identity');
    const opensSession = encryptions.some((enc) => enc.attrs.type === 'pkmsg');
    const content = [...encryptions, ...this.shared, ...(identity && opensSession ? [identity] : [])];
    this.world.witness.messages.delivered(device.address, this.common.id ?? '');
    this.world.post.deliver(device.address, node('message', { ...this.common, ...attrs }, content));
  }
}
