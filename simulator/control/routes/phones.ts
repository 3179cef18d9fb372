import { WrongPairingCodeError } from '../../devices/index.ts';
import { ApiError, missing } from '../api-error.ts';
import { type GetControlled, phoneOf } from '../controlled.ts';
import { address, fields, flag, integer, list, optional, text } from '../fields.ts';
import type { Route } from '../router.ts';

const scan = fields({ qr: text({ max: 2_000 }) });
const typed = fields({ code: text({ max: 20 }), timeoutMs: optional(integer({ min: 1, max: 120_000 })) });
const pastMessage = fields({ text: text(), fromMe: optional(flag), id: optional(text({ max: 100 })) });
const pastChat = fields({ with: address, name: optional(text({ max: 100 })), messages: list(pastMessage, { min: 1 }) });

export const phoneRoutes = (simulator: GetControlled): Route[] => [
  {
    method: 'POST',
    path: '/phones/:pn/scan',
    handle: async ({ params, body }) => ({
      device: await phoneOf(simulator(), params.pn).scanQr(scan(body, 'body').qr),
    }),
  },
  {
    method: 'POST',
    path: '/phones/:pn/pairing-code',
    handle: async ({ params, body }) => {
      const { code, timeoutMs = 20_000 } = typed(body, 'body');
      try {
        return { device: await phoneOf(simulator(), params.pn).enterPairingCode(code, { timeoutMs }) };
      } catch (error) {
        if (error instanceof WrongPairingCodeError) throw new ApiError(422, 'WRONG_CODE', error.message);
        throw error;
      }
    },
  },
  {
    method: 'DELETE',
    path: '/phones/:pn/companions/:device',
    handle: async ({ params }) => {
      const device = integer({ min: 1 })(params.device, 'device');
      const phone = phoneOf(simulator(), params.pn);
      const known = simulator().server.world.directory.account(phone.pn)?.devices.has(device);
      if (!known) throw missing(`${phone.pn} has no device ${device}`);
      await phone.removeCompanion(device);
      return { removed: device };
    },
  },
  {
    method: 'POST',
    path: '/phones/:pn/history',
    handle: async ({ params, body }) => {
      const { name, messages, with: chat } = pastChat(body, 'body');
      const past = messages.map(({ text: said, fromMe = false, id }) => ({ text: said, fromMe, ...(id && { id }) }));
      await phoneOf(simulator(), params.pn).addHistory({ with: chat, messages: past, ...(name && { name }) });
      return {};
    },
  },
];
