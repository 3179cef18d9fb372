import type { Contact } from '../../devices/index.ts';
import { deviceKey } from '../../server/directory.ts';
import { accountOf, type Controlled, type GetControlled } from '../controlled.ts';
import { fields, flag, integer, oneOf, optional, phoneNumber, text } from '../fields.ts';
import type { Route } from '../router.ts';

const name = optional(text({ max: 100 }));
const lid = optional(text({ pattern: /^\d{5,20}$/ }));
const newPhone = fields({ pn: phoneNumber, name, lid });
const newContact = fields({ pn: phoneNumber, name, lid, devices: optional(integer({ min: 1, max: 20 })) });
const preparation = fields({
  count: integer({ min: 1, max: 10_000 }),
  preKeys: optional(integer({ min: 1, max: 1_000 })),
  phones: optional(oneOf('online', 'offline')),
});
const presence = fields({ online: flag });

const view = ({ server, witness, devices }: Controlled, account: Contact) => {
  const known = server.world.directory.account(account.pn);
  const open = new Set(witness.sockets.list({ pn: account.pn, open: true }).map(({ device }) => device?.device));
  return {
    pn: account.pn,
    lid: account.lid,
    jid: account.pnJid,
    name: account.name ?? null,
    kind: devices.phone(account.pn) ? 'phone' : 'contact',
    receipts: account.receiptMode,
    problems: account.problems.map(String),
    devices: [...(known?.devices.values() ?? [])].map(({ address, keys }) => ({
      device: address.device,
      virtual: account.devices.some((device) => deviceKey(device.address) === deviceKey(address)),
      connected: open.has(address.device),
      preKeys: keys.preKeys.length,
      pending: server.world.post.mailbox(address).pendingCount,
    })),
  };
};

export const accountRoutes = (simulator: GetControlled): Route[] => [
  {
    method: 'POST',
    path: '/phones',
    handle: ({ body }) => view(simulator(), simulator().devices.createPhone(newPhone(body, 'body'))),
  },
  {
    method: 'POST',
    path: '/contacts',
    handle: ({ body }) => view(simulator(), simulator().devices.createContact(newContact(body, 'body'))),
  },
  {
    method: 'POST',
    path: '/accounts/prepaired',
    handle: ({ body }) => {
      const { count, ...options } = preparation(body, 'body');
      const accounts = simulator().devices.prepare(count, options);
      return { accounts: accounts.map(({ phone: _, ...account }) => account) };
    },
  },
  {
    method: 'GET',
    path: '/accounts',
    handle: () => ({ accounts: simulator().devices.all.map((account) => view(simulator(), account)) }),
  },
  {
    method: 'GET',
    path: '/accounts/:pn',
    handle: ({ params }) => view(simulator(), accountOf(simulator(), params.pn)),
  },
  {
    method: 'PUT',
    path: '/accounts/:pn/online',
    handle: ({ params, body }) => {
      const account = accountOf(simulator(), params.pn);
      const { online } = presence(body, 'body');
      if (online) account.goOnline();
      else account.goOffline();
      return { online };
    },
  },
];
