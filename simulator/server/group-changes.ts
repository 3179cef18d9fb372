import type { BinaryNode } from '@whiskeysockets/baileys';
import { type Account, accountJid } from './directory.ts';
import type { Group } from './group-registry.ts';
import type { IqRequest } from './iq/handler.ts';
import { badRequest, forbidden } from './iq-error.ts';
import { attributes, children, node, unixSeconds } from './stanzas.ts';
import type { World } from './world.ts';

/** `w:gp2` to all devices of all members but the acting one, which has its answer. */
export function announce(
  request: IqRequest,
  group: Group,
  change: BinaryNode,
  world: World,
  also: string[] = [],
): void {
  const { from } = request;
  const actor = world.directory.account(from.pn);
  const attrs = attributes({
    from: group.jid,
    id: world.nextId(),
    type: 'w:gp2',
    participant: accountJid(from, group.mode),
    ...(group.mode === 'lid'
      ? { participant_pn: accountJid(from, 'pn') }
      : { participant_lid: accountJid(from, 'lid') }),
    addressing_mode: group.mode,
    notify: actor?.pushName || undefined,
    t: unixSeconds(),
  });
  for (const pn of new Set([...group.members(), ...also])) {
    const account = world.directory.account(pn);
    if (account) world.post.deliverToAccount(account, node('notification', attrs, [change]), from);
  }
}

const accountsIn = (action: BinaryNode, world: World): { jid: string; account: Account | undefined }[] =>
  children(action, 'participant').map(({ attrs }) => {
    if (!attrs.jid) throw badRequest();
    return { jid: attrs.jid, account: world.directory.accountOf(attrs.jid) };
  });

export function createGroup(request: IqRequest, action: BinaryNode, world: World): Group {
  const { subject } = action.attrs;
  if (!subject || subject.length > 100) throw badRequest();
  const group = world.groups.create(request.from.pn, subject);
  for (const { account } of accountsIn(action, world)) {
    if (account && group.roleOf(account.pn) === undefined) group.setRole(account.pn, 'member');
  }
  request.afterwards(() => announce(request, group, node('create', {}, [group.toNode(world.directory)]), world));
  return group;
}

type MemberChange = 'add' | 'remove' | 'promote' | 'demote';

/** @returns the action with each participant's outcome: none, or an error code */
export function changeMembers(request: IqRequest, group: Group, action: BinaryNode, world: World): BinaryNode {
  const kind = action.tag as MemberChange;
  const mayChange = group.isAdmin(request.from.pn) || (kind === 'add' && group.memberAddMode === 'all_member_add');
  if (!mayChange) throw forbidden();
  const changed: Account[] = [];
  const outcomes = accountsIn(action, world).map(({ jid, account }) => {
    const error = account ? refusal(kind, group, account) : '404';
    if (account && error === undefined) changed.push(account);
    return node('participant', attributes({ jid, error }));
  });
  if (changed.length > 0) applyToMembers(request, group, kind, changed, world);
  return node(kind, {}, outcomes);
}

function refusal(kind: MemberChange, group: Group, account: Account): string | undefined {
  const role = group.roleOf(account.pn);
  if (kind === 'add') return role === undefined ? undefined : '409';
  if (role === undefined) return '404';
  return kind !== 'promote' && role === 'superadmin' ? '406' : undefined;
}

function applyToMembers(request: IqRequest, group: Group, kind: MemberChange, changed: Account[], world: World): void {
  const before = changed.map((account) => group.participantNode(account));
  for (const { pn } of changed) {
    if (kind === 'remove') group.remove(pn);
    else group.setRole(pn, kind === 'promote' ? 'admin' : 'member');
  }
  const participants = kind === 'remove' ? before : changed.map((account) => group.participantNode(account));
  const left = changed.map(({ pn }) => pn);
  announce(request, group, node(kind, {}, participants), world, left);
}
