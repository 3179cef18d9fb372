import type { IncomingHttpHeaders } from 'node:http';
import { SESSION_COOKIE } from '../contracts/dashboard.contract.ts';

/** 32 random bytes in base64url */
const TOKEN_PATTERN = /^[A-Za-z0-9_-]{43}$/;

/** @returns the token of the request's session cookie, null when there is none that could be one of ours */
export function sessionTokenOf(headers: IncomingHttpHeaders): string | null {
  for (const pair of (headers.cookie ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (pair.slice(0, equals).trim() !== SESSION_COOKIE) continue;
    const token = pair.slice(equals + 1).trim();
    if (TOKEN_PATTERN.test(token)) return token;
  }
  return null;
}

/** @param maxAgeSeconds 0 = the browser forgets it. @returns a `Set-Cookie` value: no script reads it, no other site sends it */
export function sessionCookie(token: string, maxAgeSeconds: number, secure: boolean): string {
  const attributes = [
    'HttpOnly',
    'SameSite=Strict',
    'Path=/',
    `Max-Age=${maxAgeSeconds}`,
    ...(secure ? ['Secure'] : []),
  ];
  return [`${SESSION_COOKIE}=${token}`, ...attributes].join('; ');
}

/** TLS ends before us; what stands there says so. A client that lies about it only changes its own cookie. */
export function isSecure(headers: IncomingHttpHeaders): boolean {
  const forwarded = headers['x-forwarded-proto'];
  return (
    String(forwarded ?? '')
      .split(',')[0]
      ?.trim()
      .toLowerCase() === 'https'
  );
}
