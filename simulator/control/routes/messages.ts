import { invalid } from '../api-error.ts';
import { accountOf, type GetControlled } from '../controlled.ts';
import { address, fields, flag, integer, list, oneOf, optional, text } from '../fields.ts';
import type { Route } from '../router.ts';
import { type InboxEntry, present, type ReceiptEntry } from '../views.ts';

const id = text({ max: 100 });
const device = optional(integer({ max: 99 }));
const waitMs = optional(integer({ max: 120_000 }));
const outgoing = fields({
  to: address,
  text: text(),
  id: optional(id),
  device,
  addressing: optional(oneOf('lid', 'pn')),
});
const file = fields({
  to: address,
  kind: oneOf('image', 'video', 'audio', 'document'),
  /** base64 */
  data: text({ max: 24 * 1024 * 1024, pattern: /^[A-Za-z0-9+/]+=*$/ }),
  mimetype: optional(text({ max: 200 })),
  caption: optional(text()),
  fileName: optional(text({ max: 200 })),
});
const reaction = fields({ chat: address, id, emoji: text({ min: 0, max: 20 }) });
const edit = fields({ chat: address, id, text: text() });
const revocation = fields({ chat: address, id });
const receipts = fields({ mode: oneOf('none', 'delivered', 'read', 'played') });
const reading = fields({ ids: list(id, { min: 1 }), type: optional(oneOf('read', 'read-self', 'played')) });
const typing = fields({ to: address, state: optional(oneOf('composing', 'recording', 'paused')) });
const presence = fields({ type: oneOf('available', 'unavailable') });
const call = fields({ to: address, video: optional(flag) });
const inboxQuery = fields({ text: optional(text()), id: optional(id), chat: optional(text()), device, waitMs });
const receiptQuery = fields({ id: optional(id), type: optional(text({ max: 20 })), waitMs });
const failing = fields({ account: address, device });

const fits = (entry: InboxEntry, query: ReturnType<typeof inboxQuery>): boolean =>
  (query.text === undefined || entry.text === query.text) &&
  (query.id === undefined || entry.id === query.id) &&
  (query.chat === undefined || entry.chat === query.chat) &&
  (query.device === undefined || entry.device === query.device);

const receiptFits = (entry: ReceiptEntry, query: ReturnType<typeof receiptQuery>): boolean =>
  (query.id === undefined || entry.ids.includes(query.id)) && (query.type === undefined || entry.type === query.type);

export const messageRoutes = (simulator: GetControlled): Route[] => {
  const account = (pn: string | undefined) => accountOf(simulator(), pn);
  return [
    {
      method: 'POST',
      path: '/accounts/:pn/messages',
      handle: async ({ params, body }) => {
        const { to, text: said, ...options } = outgoing(body, 'body');
        const sent = await account(params.pn).sendText(to, said, options);
        return { id: sent.id, to: sent.to };
      },
    },
    {
      method: 'POST',
      path: '/accounts/:pn/media',
      handle: async ({ params, body }) => {
        const { to, kind, data, ...options } = file(body, 'body');
        const bytes = Buffer.from(data, 'base64');
        if (bytes.length === 0) throw invalid('body.data is empty');
        const sent = await account(params.pn).sendMedia(to, kind, bytes, options);
        return { id: sent.id, to: sent.to };
      },
    },
    {
      method: 'POST',
      path: '/accounts/:pn/reactions',
      handle: async ({ params, body }) => {
        const { chat, id: about, emoji } = reaction(body, 'body');
        return { id: (await account(params.pn).react(chat, about, emoji)).id };
      },
    },
    {
      method: 'POST',
      path: '/accounts/:pn/edits',
      handle: async ({ params, body }) => {
        const { chat, id: about, text: said } = edit(body, 'body');
        return { id: (await account(params.pn).edit(chat, about, said)).id };
      },
    },
    {
      method: 'POST',
      path: '/accounts/:pn/revocations',
      handle: async ({ params, body }) => {
        const { chat, id: about } = revocation(body, 'body');
        return { id: (await account(params.pn).revoke(chat, about)).id };
      },
    },
    {
      method: 'GET',
      path: '/accounts/:pn/inbox',
      handle: async ({ params, query }) => {
        const wanted = inboxQuery(query, 'query');
        const { inbox } = account(params.pn);
        if (wanted.waitMs) await inbox.waitFor((entry) => fits(entry, wanted), wanted.waitMs);
        return { messages: inbox.all.filter((entry) => fits(entry, wanted)).map(present) };
      },
    },
    {
      method: 'GET',
      path: '/accounts/:pn/receipts',
      handle: async ({ params, query }) => {
        const wanted = receiptQuery(query, 'query');
        const log = account(params.pn).receipts;
        if (wanted.waitMs) await log.waitFor((entry) => receiptFits(entry, wanted), wanted.waitMs);
        const found = log.all.filter((entry) => receiptFits(entry, wanted));
        return { receipts: found.map(({ stanza: _, ...entry }) => entry) };
      },
    },
    {
      method: 'PUT',
      path: '/accounts/:pn/receipts',
      handle: ({ params, body }) => {
        const { mode } = receipts(body, 'body');
        account(params.pn).receiptMode = mode;
        return { mode };
      },
    },
    {
      method: 'POST',
      path: '/accounts/:pn/read',
      handle: ({ params, body }) => {
        const { ids, type } = reading(body, 'body');
        account(params.pn).markRead(ids, type);
        return { read: ids };
      },
    },
    {
      method: 'POST',
      path: '/accounts/:pn/typing',
      handle: async ({ params, body }) => {
        const { to, state } = typing(body, 'body');
        await account(params.pn).signal.typing(to, state);
      },
    },
    {
      method: 'POST',
      path: '/accounts/:pn/presence',
      handle: ({ params, body }) => account(params.pn).signal.presence(presence(body, 'body').type),
    },
    {
      method: 'POST',
      path: '/accounts/:pn/calls',
      handle: async ({ params, body }) => {
        const { to, video = false } = call(body, 'body');
        return { callId: await account(params.pn).signal.call(to, { video }) };
      },
    },
    {
      method: 'POST',
      path: '/accounts/:pn/lose-sessions',
      handle: async ({ params, body }) => {
        const { account: peer, device: number } = failing(body, 'body');
        await account(params.pn).loseSessions(peer, number);
      },
    },
    {
      method: 'POST',
      path: '/accounts/:pn/spoil-sessions',
      handle: async ({ params, body }) => {
        const { account: peer, device: number } = failing(body, 'body');
        await account(params.pn).spoilSessions(peer, number);
      },
    },
  ];
};
