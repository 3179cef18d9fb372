import type { SocketEnd } from '../ports.ts';

/** What Baileys says when a socket ended (a Boom, mostly), as the supervisor's table reads it. */

const LOGGED_OUT = 401;
const LOST = 408;
const CLOSED = 428;
const STREAM_ERROR = 500;
const UNAVAILABLE = 503;
/** Baileys Socket/socket.js, `genPairQR`: the server's refs are used up */
const CODES_USED_UP = 'QR refs attempts ended';
/** seconds since the epoch are larger than any duration that WhatsApp bans for */
const SMALLEST_EPOCH_SECONDS = 1_000_000_000;

interface BoomLike {
  message?: unknown;
  output?: { statusCode?: unknown };
  data?: unknown;
}

/** @param wallNow ms since the epoch, to date a ban that comes as a duration */
export function toSocketEnd(error: unknown, wallNow: number): SocketEnd {
  if (typeof error !== 'object' || error === null) return { code: CLOSED, reason: 'Connection closed' };
  const { message, output, data } = error as BoomLike;
  const said = typeof message === 'string' && message !== '' ? message : 'Connection closed';
  const reason = networkTrouble(data) ?? said;
  const code = typeof output?.statusCode === 'number' ? output.statusCode : STREAM_ERROR;
  if (isDeviceRemoval(data)) return { code: LOGGED_OUT, reason };
  const expiresAt = banEnd(code, data, wallNow);
  return {
    code,
    reason,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(reason === CODES_USED_UP && { pairingExpired: true }),
  };
}

interface NetworkError {
  code?: unknown;
  hostname?: unknown;
  address?: unknown;
  port?: unknown;
}

/** @returns in words what Node's own error says that Baileys put into `data`; undefined where it is none that we know */
function networkTrouble(data: unknown): string | undefined {
  const { code, hostname, address, port } = (data ?? {}) as NetworkError;
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${hostname} is not found (no internet, or DNS does not answer)`;
    case 'ECONNREFUSED':
      return address === undefined ? 'the connection is refused' : `${address}:${port} refuses the connection`;
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no way to it through the network';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the other side broke the connection off';
    default:
      return undefined;
  }
}

/** The answer to the WebSocket upgrade was an HTTP error, of which Baileys says nothing at all. */
export function refusedUpgrade(status: number): SocketEnd {
  const reason = `WhatsApp refused the WebSocket with HTTP ${status}`;
  return { code: status === UNAVAILABLE ? UNAVAILABLE : LOST, reason };
}

export function hung(afterMs: number): SocketEnd {
  return { code: LOST, reason: `WhatsApp did not answer within ${Math.round(afterMs / 100) / 10} s` };
}

export function undecodable(): SocketEnd {
  return { code: STREAM_ERROR, reason: 'WhatsApp sent a frame that cannot be decoded' };
}

/** `<conflict type="device_removed">` may come without a code; Baileys then takes it for a replacement (440). */
function isDeviceRemoval(data: unknown): boolean {
  const { tag, attrs } = (data ?? {}) as { tag?: unknown; attrs?: { type?: unknown } };
  return tag === 'conflict' && attrs?.type === 'device_removed';
}

function banEnd(code: number, data: unknown, wallNow: number): number | undefined {
  const seconds = Number(((data ?? {}) as { expire?: unknown }).expire);
  if (code !== 402 || !Number.isFinite(seconds) || seconds <= 0) return undefined;
  return seconds >= SMALLEST_EPOCH_SECONDS ? seconds * 1_000 : wallNow + seconds * 1_000;
}
