import type { IncomingHttpHeaders } from 'node:http';
import { CastellanError } from '../errors.ts';
import { isSecure } from './session-cookie.ts';

/**
 * Cookies travel by themselves, so a request that relies on one must prove that a page of ours made it: browsers send
 * `Origin` (and `Sec-Fetch-Site`) with whatever changes something, and no script can set them. Every one of the two that
 * is there must say "the same"; a proxy in front of us has to leave `Host` as the browser sent it.
 * @param required one of them must be there
 * @throws FORBIDDEN
 */
export function assertSameOrigin(headers: IncomingHttpHeaders, required: boolean): void {
  const { origin } = headers;
  const site = headers['sec-fetch-site'];
  if (origin !== undefined && !isOwn(origin, headers)) throw refusal();
  if (site !== undefined && site !== 'same-origin') throw refusal();
  if (required && origin === undefined && site === undefined) throw refusal();
}

function isOwn(origin: string, headers: IncomingHttpHeaders): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  /* whether TLS ends before us is not always known; where it is, a page that came in the clear is another origin */
  const allowed = isSecure(headers) ? ['https:'] : ['http:', 'https:'];
  return allowed.includes(protocol) && host === hostOf(protocol, headers.host);
}

/** A default port is left out of an Origin, and may be written out in Host. */
function hostOf(protocol: string, host: string | undefined): string | null {
  const url = `${protocol}//${host}`;
  return host !== undefined && URL.canParse(url) ? new URL(url).host : null;
}

function refusal(): CastellanError {
  const message = 'With the session cookie, only pages of this host may change something (Origin and Host must agree).';
  return new CastellanError('FORBIDDEN', message);
}
