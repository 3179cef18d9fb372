import { missing } from '../api-error.ts';
import type { GetControlled } from '../controlled.ts';
import { decimal, fields, flag, integer, oneOf, optional, phoneNumber, text } from '../fields.ts';
import type { Handler, Route } from '../router.ts';

const since = optional(decimal());
const name = text({ max: 100 });
const socketQuery = fields({ pn: optional(phoneNumber), device: optional(integer()), open: optional(flag) });
const messageQuery = fields({ from: optional(phoneNumber), to: optional(name), since });
const failureQuery = fields({ since });
const orderQuery = fields({ from: phoneNumber, to: name });
const stanzaQuery = fields({
  pn: optional(phoneNumber),
  device: optional(integer()),
  tag: optional(name),
  direction: optional(oneOf('in', 'out')),
  since,
  limit: optional(integer({ min: 1, max: 100_000 })),
});

export const witnessRoutes = (simulator: GetControlled): Route[] => {
  const get = (path: string, handle: Handler): Route => ({ method: 'GET', path: `/witness${path}`, handle });
  const witness = () => simulator().witness;
  return [
    get('', () => witness().summary()),
    get('/sockets', ({ query }) => ({ sockets: witness().sockets.list(socketQuery(query, 'query')) })),
    get('/overlaps', () => ({ overlaps: witness().sockets.overlaps() })),
    get('/replacements', () => ({ replacements: witness().sockets.replacements() })),
    get('/messages', ({ query }) => ({ messages: witness().messages.list(messageQuery(query, 'query')) })),
    get('/messages/:id', ({ params }) => {
      const record = witness().messages.get(params.id ?? '');
      if (!record) throw missing(`No message ${params.id} was seen`);
      return record;
    }),
    get('/repeated', () => ({ repeated: witness().messages.repeated() })),
    get('/decrypt-failures', ({ query }) => ({
      failures: witness().messages.decryptFailures(failureQuery(query, 'query').since),
    })),
    get('/order', ({ query }) => {
      const { from, to } = orderQuery(query, 'query');
      return { ids: witness().messages.order(from, to) };
    }),
    get('/inversions', () => ({ inversions: witness().messages.inversions() })),
    get('/stanzas', ({ query }) => ({ stanzas: witness().stanzas(stanzaQuery(query, 'query')) })),
  ];
};
