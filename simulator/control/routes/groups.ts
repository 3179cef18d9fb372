import type { Group } from '../../server/group-registry.ts';
import { missing } from '../api-error.ts';
import { accountOf, type Controlled, type GetControlled } from '../controlled.ts';
import { address, fields, list, oneOf, text } from '../fields.ts';
import type { Route } from '../router.ts';

const newGroup = fields({ subject: text({ max: 100 }), participants: list(address, { max: 1_024 }) });
const change = fields({
  /** who does it: the phone number of an account here */
  by: text({ max: 20 }),
  action: oneOf('add', 'remove', 'promote', 'demote'),
  participants: list(address, { min: 1, max: 1_024 }),
});

const view = (group: Group) => ({
  jid: group.jid,
  subject: group.subject,
  description: group.description?.text ?? null,
  addressing: group.mode,
  announcement: group.announcement,
  locked: group.locked,
  inviteCode: group.inviteCode,
  participants: group.members().map((pn) => ({ pn, role: group.roleOf(pn) })),
});

function groupOf({ server }: Controlled, jid: string | undefined): Group {
  const group = jid === undefined ? undefined : server.world.groups.get(jid);
  if (!group) throw missing(`There is no group ${jid}`);
  return group;
}

export const groupRoutes = (simulator: GetControlled): Route[] => [
  {
    method: 'POST',
    path: '/accounts/:pn/groups',
    handle: async ({ params, body }) => {
      const { subject, participants } = newGroup(body, 'body');
      const jid = await accountOf(simulator(), params.pn).groups.create(subject, participants);
      return view(groupOf(simulator(), jid));
    },
  },
  {
    method: 'GET',
    path: '/groups',
    handle: () => ({ groups: simulator().server.world.groups.all().map(view) }),
  },
  { method: 'GET', path: '/groups/:jid', handle: ({ params }) => view(groupOf(simulator(), params.jid)) },
  {
    method: 'POST',
    path: '/groups/:jid/participants',
    handle: async ({ params, body }) => {
      const { by, action, participants } = change(body, 'body');
      const group = groupOf(simulator(), params.jid);
      await accountOf(simulator(), by).groups.participants(group.jid, action, participants);
      return view(group);
    },
  },
];
