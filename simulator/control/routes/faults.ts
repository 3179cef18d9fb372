import { type Fault, type FaultRule, faultTypes } from '../../faults/fault.ts';
import { invalid, missing } from '../api-error.ts';
import type { GetControlled } from '../controlled.ts';
import {
  decimal,
  dictionary,
  fields,
  integer,
  list,
  oneOf,
  optional,
  phoneNumber,
  type Reader,
  text,
} from '../fields.ts';
import type { Route } from '../router.ts';

const type = text({ max: 40 });
const code = integer({ min: 1, max: 9_999 });
const ms = integer({ max: 3_600_000 });
const bare = fields({ type });

const shapes: Record<Fault['type'], Reader<object>> = {
  refuse: bare,
  'http-status': fields({ type, status: integer({ min: 300, max: 599 }) }),
  hang: bare,
  'login-failure': fields({ type, reason: code, attributes: optional(dictionary) }),
  'stream-error': fields({ type, code, reason: optional(text({ max: 100 })) }),
  conflict: bare,
  drop: bare,
  'half-open': bare,
  nack: fields({ type, code }),
  'lose-ack': bare,
  'slow-ack': fields({ type, ms }),
  'iq-error': fields({ type, code, text: optional(text({ max: 200 })) }),
  'iq-timeout': bare,
  duplicate: fields({ type, copies: optional(integer({ min: 2, max: 100 })) }),
  reorder: bare,
  delay: fields({ type, ms }),
  'endless-offline': bare,
};

const fault: Reader<Fault> = (value, name) => {
  const given = (value as { type?: unknown } | null)?.type;
  if (typeof given !== 'string' || !Object.hasOwn(shapes, given)) {
    throw invalid(`${name}.type must be one of ${faultTypes.join(', ')}`);
  }
  return shapes[given as Fault['type']](value, name) as Fault;
};

const match = fields({
  pn: optional(phoneNumber),
  device: optional(integer({ max: 99 })),
  tag: optional(text({ max: 50 })),
  xmlns: optional(text({ max: 100 })),
  type: optional(text({ max: 50 })),
  id: optional(text({ max: 100 })),
  peer: optional(text({ max: 100 })),
  child: optional(text({ max: 50 })),
});

const rule = fields({
  fault,
  match: optional(match),
  on: optional(oneOf('now', 'login', 'stanza-in', 'stanza-out')),
  afterMs: optional(ms),
  skip: optional(integer()),
  times: optional(integer({ min: 1 })),
  probability: optional(decimal({ max: 1 })),
}) as Reader<FaultRule>;

const script = list(rule, { min: 1, max: 1_000 });

export const faultRoutes = (simulator: GetControlled): Route[] => [
  { method: 'GET', path: '/faults', handle: () => ({ faults: simulator().faults.list() }) },
  {
    method: 'POST',
    path: '/faults',
    handle: ({ body }) => ({
      faults: simulator().faults.run(Array.isArray(body) ? script(body, 'body') : [rule(body, 'body')]),
    }),
  },
  { method: 'DELETE', path: '/faults', handle: () => ({ cleared: simulator().faults.clear() }) },
  {
    method: 'DELETE',
    path: '/faults/:id',
    handle: ({ params }) => {
      if (simulator().faults.clear(params.id) === 0) throw missing(`There is no fault ${params.id}`);
      return { cleared: 1 };
    },
  },
];
