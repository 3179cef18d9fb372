import { isGroup } from '../../devices/jids.ts';
import { accountJid } from '../directory.ts';
import { badRequest, forbidden, notFound } from '../iq-error.ts';
import { child, childBytes, node, unixSeconds } from '../stanzas.ts';
import type { World } from '../world.ts';
import type { IqHandler, IqRequest } from './handler.ts';

/** Where the picture of a target lies: `own` account, other account, group. */
function keyOf(target: string, world: World): string {
  if (isGroup(target)) {
    if (!world.groups.get(target)) throw notFound();
    return target;
  }
  const account = world.directory.accountOf(target);
  if (!account) throw notFound();
  return account.pn;
}

export const answerPicture: IqHandler = (request, world) => {
  const { from, iq } = request;
  const target = iq.attrs.target ?? `${from.pn}@s.whatsapp.net`;
  const key = keyOf(target, world);
  if (iq.attrs.type === 'set') return setPicture(request, target, key, world);
  const picture = world.pictures.get(key);
  if (!picture) throw notFound();
  const { id, directPath } = picture;
  const type = child(iq, 'picture')?.attrs.type ?? 'image';
  const url = `https://${world.mediaHost()}${directPath}`;
  return [node('picture', { id, type, url, direct_path: directPath })];
};

function setPicture({ from, iq }: IqRequest, target: string, key: string, world: World) {
  const group = isGroup(target) ? world.groups.get(target) : undefined;
  const allowed = group ? group.roleOf(from.pn) && (!group.locked || group.isAdmin(from.pn)) : key === from.pn;
  if (!allowed) throw forbidden();
  const bytes = childBytes(iq, 'picture');
  if (child(iq, 'picture') && !bytes?.length) throw badRequest();
  const id = world.nextId();
  if (bytes) world.pictures.set(key, { id, directPath: world.media.put(bytes, 'ppic').directPath });
  else world.pictures.delete(key);
  tell(from, target, bytes ? id : undefined, world);
  return bytes ? [node('picture', { id })] : [];
}

function tell(from: IqRequest['from'], target: string, id: string | undefined, world: World): void {
  const group = isGroup(target) ? world.groups.get(target) : undefined;
  const author = accountJid(from, group?.mode ?? 'pn');
  const change = id === undefined ? node('delete', { author }) : node('set', { id, author });
  const about = group ? target : accountJid(from, 'pn');
  for (const pn of group ? group.members() : [from.pn]) {
    const account = world.directory.account(pn);
    const attrs = { from: about, id: world.nextId(), type: 'picture', t: unixSeconds() };
    if (account) world.post.deliverToAccount(account, node('notification', attrs, [change]), from);
  }
}
