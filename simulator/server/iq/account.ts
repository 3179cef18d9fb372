import { createHash } from 'node:crypto';
import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Account } from '../directory.ts';
import { accountJid, jidOf } from '../directory.ts';
import { badRequest, notAuthorized, notFound } from '../iq-error.ts';
import { child, children, firstChild, node, text, unixSeconds } from '../stanzas.ts';
import type { World } from '../world.ts';
import type { IqHandler, IqRequest } from './handler.ts';

const ownAccount = ({ from }: IqRequest, world: World): Account => {
  const account = world.directory.account(from.pn);
  if (!account) throw notAuthorized();
  return account;
};

const privacyDefaults: Record<string, string> = {
  readreceipts: 'all',
  profile: 'all',
  status: 'all',
  online: 'all',
  last: 'all',
  groupadd: 'all',
  calladd: 'all',
  messages: 'all',
};

export const answerPrivacy: IqHandler = (request, world) => {
  const account = ownAccount(request, world);
  const { iq } = request;
  const changes = children(child(iq, 'privacy'), 'category');
  if (iq.attrs.type === 'set') {
    for (const { attrs } of changes) {
      if (!attrs.name || !attrs.value) throw badRequest();
      account.privacy.set(attrs.name, attrs.value);
    }
  }
  const settings = { ...privacyDefaults, ...Object.fromEntries(account.privacy) };
  const categories = Object.entries(settings).map(([name, value]) => node('category', { name, value }));
  return [node('privacy', {}, categories)];
};

/**
 * Trusted-contact tokens: the issuer lets a contact reach out to it. The contact is told its token, which it then
 * attaches to its 1:1 messages to the issuer.
 */
export const answerPrivacyTokens: IqHandler = (request, world) => {
  const issuer = ownAccount(request, world);
  for (const { attrs } of children(child(request.iq, 'tokens'), 'token')) {
    const contact = attrs.jid ? world.directory.accountOf(attrs.jid) : undefined;
    if (!attrs.jid || attrs.type !== 'trusted_contact') throw badRequest();
    if (!contact) throw notFound();
    const t = attrs.t ?? unixSeconds();
    const token = world.random.bytes(`token ${issuer.pn} ${contact.pn} ${t}`, 16);
    for (const { address } of contact.devices.values()) {
      const from = { from: accountJid(issuer, 'pn'), sender_lid: accountJid(issuer, 'lid') };
      const given = node('token', { type: 'trusted_contact', t, jid: jidOf(address, 'pn') }, token);
      const notification = { ...from, id: world.nextId(), type: 'privacy_token', t };
      world.post.deliver(address, node('notification', notification, [node('tokens', {}, [given])]));
    }
  }
  return [];
};

export const answerBlocklist: IqHandler = (request, world) => {
  const account = ownAccount(request, world);
  const item = child(request.iq, 'item');
  if (request.iq.attrs.type === 'set') {
    const blocked = item?.attrs.jid ? world.directory.accountOf(item.attrs.jid) : undefined;
    if (!item) throw badRequest();
    if (!blocked) throw notFound();
    if (item.attrs.action === 'block') account.blocked.add(blocked.pn);
    else account.blocked.delete(blocked.pn);
    tellOwnDevices(request, account, item, world);
  }
  const items = [...account.blocked].flatMap((pn) => {
    const blocked = world.directory.account(pn);
    return blocked ? [node('item', { jid: accountJid(blocked, 'lid') })] : [];
  });
  return [
    node(
      'list',
      {
        dhash: createHash('sha1')
          .update([...account.blocked].sort().join())
          .digest('hex'),
      },
      items,
    ),
  ];
};

function tellOwnDevices({ from }: IqRequest, account: Account, item: BinaryNode, world: World): void {
  const attrs = { from: accountJid(account, 'pn'), id: world.nextId(), type: 'account_sync', t: unixSeconds() };
  const { jid = '', action = 'block' } = item.attrs;
  const change = node('blocklist', {}, [node('item', { jid, action })]);
  world.post.deliverToAccount(account, node('notification', attrs, [change]), from);
}

/** The about text, and the default timer of new chats (which the simulator takes note of and nothing else). */
export const answerAccountState: IqHandler = (request, world) => {
  const account = ownAccount(request, world);
  const change = firstChild(request.iq);
  if (change?.tag === 'status') account.status = { text: text(change.content), at: Number(unixSeconds()) };
  else if (change?.tag !== 'disappearing_mode') throw badRequest();
  return [];
};
