import type { BinaryNode } from '@whiskeysockets/baileys';
import { announce, changeMembers, createGroup } from '../group-changes.ts';
import type { Group } from '../group-registry.ts';
import { badRequest, conflict, forbidden, notFound } from '../iq-error.ts';
import { firstChild, node, nodesOf, text } from '../stanzas.ts';
import type { World } from '../world.ts';
import type { IqHandler, IqRequest } from './handler.ts';

/** `w:g2`: to a group's JID it is about that group, to `@g.us` about groups in general. */
export const answerGroups: IqHandler = (request, world) => {
  const { to = '', type } = request.iq.attrs;
  const action = firstChild(request.iq);
  if (!action) throw badRequest();
  if (to.startsWith('@'))
    return type === 'get' ? listOrInspect(request, action, world) : enterOrLeave(request, action, world);
  const group = world.groups.get(to);
  if (!group) throw notFound();
  return type === 'get' ? inspect(request, group, action, world) : change(request, group, action, world);
};

function listOrInspect({ from }: IqRequest, action: BinaryNode, world: World): BinaryNode[] {
  if (action.tag === 'participating') {
    return [
      node(
        'groups',
        {},
        world.groups.of(from.pn).map((group) => group.toNode(world.directory)),
      ),
    ];
  }
  if (action.tag !== 'invite') throw badRequest();
  return [invited(action, world).toNode(world.directory)];
}

function invited(action: BinaryNode, world: World): Group {
  const group = action.attrs.code ? world.groups.byInvite(action.attrs.code) : undefined;
  if (!group) throw notFound();
  return group;
}

function enterOrLeave(request: IqRequest, action: BinaryNode, world: World): BinaryNode[] {
  const { from } = request;
  switch (action.tag) {
    case 'create':
      return [createGroup(request, action, world).toNode(world.directory)];
    case 'invite': {
      const group = invited(action, world);
      const account = world.directory.account(from.pn);
      if (!account) throw notFound();
      if (group.roleOf(from.pn) === undefined) {
        group.setRole(from.pn, 'member');
        announce(request, group, node('add', { reason: 'invite' }, [group.participantNode(account)]), world);
      }
      return [node('group', { jid: group.jid })];
    }
    case 'leave':
      return [
        node(
          'leave',
          {},
          nodesOf(action).map((left) => leave(request, left, world)),
        ),
      ];
    default:
      throw badRequest();
  }
}

function leave(request: IqRequest, left: BinaryNode, world: World): BinaryNode {
  const { id = '' } = left.attrs;
  const group = world.groups.get(id);
  const account = world.directory.account(request.from.pn);
  if (!group || !account || group.roleOf(account.pn) === undefined) return node('group', { id, error: '404' });
  announce(request, group, node('remove', {}, [group.participantNode(account)]), world);
  group.remove(account.pn);
  return node('group', { id });
}

function inspect({ from }: IqRequest, group: Group, action: BinaryNode, world: World): BinaryNode[] {
  if (group.roleOf(from.pn) === undefined) throw forbidden();
  switch (action.tag) {
    case 'query':
      return [group.toNode(world.directory)];
    case 'invite':
      if (!group.isAdmin(from.pn)) throw forbidden();
      return [node('invite', { code: group.inviteCode })];
    case 'membership_approval_requests':
      return [node('membership_approval_requests', {}, [])];
    default:
      throw badRequest();
  }
}

const settings: Record<string, (group: Group, action: BinaryNode) => void> = {
  announcement: (group) => {
    group.announcement = true;
  },
  not_announcement: (group) => {
    group.announcement = false;
  },
  locked: (group) => {
    group.locked = true;
  },
  unlocked: (group) => {
    group.locked = false;
  },
  ephemeral: (group, { attrs }) => {
    const seconds = Number(attrs.expiration);
    if (!Number.isInteger(seconds) || seconds <= 0) throw badRequest();
    group.ephemeralSeconds = seconds;
  },
  not_ephemeral: (group) => {
    group.ephemeralSeconds = 0;
  },
  member_add_mode: (group, action) => {
    const mode = text(action.content);
    if (mode !== 'admin_add' && mode !== 'all_member_add') throw badRequest();
    group.memberAddMode = mode;
  },
  membership_approval_mode: (group, action) => {
    group.joinApproval = firstChild(action)?.attrs.state === 'on';
  },
};

function change(request: IqRequest, group: Group, action: BinaryNode, world: World): BinaryNode[] {
  const { pn } = request.from;
  if (group.roleOf(pn) === undefined) throw forbidden();
  const mayEdit = !group.locked || group.isAdmin(pn);
  const apply = Object.hasOwn(settings, action.tag) ? settings[action.tag] : undefined;
  if (apply) {
    if (!group.isAdmin(pn)) throw forbidden();
    apply(group, action);
    announce(request, group, action, world);
    return [];
  }
  switch (action.tag) {
    case 'subject':
      if (!mayEdit) throw forbidden();
      return changeSubject(request, group, action, world);
    case 'description':
      if (!mayEdit) throw forbidden();
      return changeDescription(request, group, action, world);
    case 'invite':
      if (!group.isAdmin(pn)) throw forbidden();
      group.inviteCode = world.groups.newInviteCode();
      announce(request, group, node('invite', { code: group.inviteCode }), world);
      return [node('invite', { code: group.inviteCode })];
    case 'add':
    case 'remove':
    case 'promote':
    case 'demote':
      return [changeMembers(request, group, action, world)];
    default:
      throw badRequest();
  }
}

function changeSubject(request: IqRequest, group: Group, action: BinaryNode, world: World): BinaryNode[] {
  const subject = text(action.content);
  if (!subject || subject.length > 100) throw badRequest();
  group.subject = subject;
  group.subjectBy = request.from.pn;
  group.subjectAt = Math.floor(Date.now() / 1000);
  announce(request, group, node('subject', { subject, s_t: String(group.subjectAt) }), world);
  return [];
}

function changeDescription(request: IqRequest, group: Group, action: BinaryNode, world: World): BinaryNode[] {
  const { id, prev, delete: deleted } = action.attrs;
  // who edits an old description must look at the new one first
  if ((prev ?? undefined) !== group.description?.id && group.description) throw conflict();
  const body = text(firstChild(action)?.content);
  if (deleted === 'true') delete group.description;
  else if (id) group.description = { id, text: body, by: request.from.pn, at: Math.floor(Date.now() / 1000) };
  else throw badRequest();
  announce(
    request,
    group,
    node('description', id ? { id } : {}, body ? [node('body', {}, Buffer.from(body))] : []),
    world,
  );
  return [];
}
