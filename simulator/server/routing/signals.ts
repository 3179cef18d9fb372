import type { BinaryNode } from '@whiskeysockets/baileys';
import { isGroup } from '../../devices/jids.ts';
import type { DeviceAddress } from '../../ports.ts';
import { accountJid, jidOf, modeOf } from '../directory.ts';
import { attributes, node, unixSeconds } from '../stanzas.ts';
import type { World } from '../world.ts';

/** Typing: to all live devices of the chat's other members, worth nothing later. */
export function routeChatState(from: DeviceAddress, stanza: BinaryNode, world: World): void {
  const { to } = stanza.attrs;
  if (!to) return;
  const group = isGroup(to) ? world.groups.get(to) : undefined;
  const mode = group?.mode ?? modeOf(to);
  const sender = accountJid(from, mode);
  const attrs: Record<string, string> = group ? { from: to, participant: sender } : { from: sender };
  const readers = group ? group.members() : [world.directory.accountOf(to)?.pn ?? ''];
  for (const pn of readers) {
    if (pn === from.pn) continue;
    for (const { address } of world.directory.account(pn)?.devices.values() ?? []) {
      world.post.deliverIfLive(address, node('chatstate', attrs, stanza.content));
    }
  }
}

/** Online, offline, the push name, and who wants to know. */
export function routePresence(from: DeviceAddress, stanza: BinaryNode, world: World): void {
  const { type, name, to } = stanza.attrs;
  const account = world.directory.account(from.pn);
  if (!account) return;
  if (name) account.pushName = name;
  if (type === 'subscribe' && to) {
    const watched = world.directory.accountOf(to);
    if (watched) world.presence.subscribe(watched, from, modeOf(to));
  } else if (type === 'available' || type === 'unavailable') {
    world.presence.set(account, from, type === 'available');
  }
}

/** Calls: signalling goes to all devices of the callee, or to the one that is named. */
export function routeCall(from: DeviceAddress, stanza: BinaryNode, world: World): void {
  const { to, id } = stanza.attrs;
  const callee = to ? world.directory.accountOf(to) : undefined;
  if (!to || !callee) return;
  const call = node(
    'call',
    attributes({
      from: jidOf(from, modeOf(to)),
      id: id ?? world.nextId(),
      t: unixSeconds(),
      notify: stanza.attrs.notify,
    }),
    stanza.content,
  );
  world.post.deliverToAccount(callee, call, from);
}
