import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Caller } from '../contracts/action.ts';
import { CastellanError } from '../errors.ts';
import type { DashboardSessions } from './dashboard-sessions.ts';
import { assertSameOrigin } from './same-origin.ts';
import { sessionTokenOf } from './session-cookie.ts';

/** A revoked key must be 401 within 5 s; this is the most that a gateway may remember. */
const CACHE_TTL_MS = 2_000;
const CACHE_MAX_ENTRIES = 10_000;
const KEY_PATTERN = /^[\x21-\x7e]{1,255}$/;

/** Who the holder of the bootstrap key is: an id that no user can have been given. */
export const BOOTSTRAP_ADMIN: Caller = { userId: 'usr_00000000000000000000000000', role: 'admin', keyId: 'bootstrap' };

export interface Credentials {
  method?: string | undefined;
  headers: IncomingHttpHeaders;
}

export interface Authenticator {
  /**
   * By the API key, or by the dashboard's cookie where no key was sent. A key counts alone: a wrong one is not mended by
   * a cookie.
   * @throws UNAUTHORIZED; FORBIDDEN when a page of another host uses the cookie to change something
   */
  authenticate(request: Credentials): Promise<Caller>;
  /** @returns whose key it is, and the hash by which a session can stand for it. @throws UNAUTHORIZED */
  byKey(key: string): Promise<{ caller: Caller; keyHash: string }>;
}

export interface AuthenticatorOptions {
  clock: Clock;
  adminKey: string;
  sessions: Pick<DashboardSessions, 'keyHashOf'>;
  keyedHash(key: string): string;
  /** @returns whose key has this hash, null when nobody's */
  lookUp(hash: string): Promise<Caller | null>;
}

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { clock, adminKey, sessions, keyedHash, lookUp } = options;
  const adminHash = Buffer.from(keyedHash(adminKey));
  const cache = new Map<string, { caller: Promise<Caller | null>; until: number }>();

  /** Unknown keys are remembered too: a flood of one wrong key costs one look-up. */
  function cachedLookUp(hash: string): Promise<Caller | null> {
    const now = clock.monotonic();
    const hit = cache.get(hash);
    if (hit && hit.until > now) return hit.caller;
    if (cache.size >= CACHE_MAX_ENTRIES) cache.clear();
    const caller = lookUp(hash);
    cache.set(hash, { caller, until: now + CACHE_TTL_MS });
    caller.catch(() => cache.delete(hash));
    return caller;
  }

  async function byHash(hash: string): Promise<Caller> {
    /* hashes of equal length under a secret key: comparing them tells nothing about the admin key */
    if (timingSafeEqual(Buffer.from(hash), adminHash)) return BOOTSTRAP_ADMIN;
    const caller = await cachedLookUp(hash);
    if (!caller) throw new CastellanError('UNAUTHORIZED');
    return caller;
  }

  async function byKey(key: string): Promise<{ caller: Caller; keyHash: string }> {
    if (!KEY_PATTERN.test(key)) throw new CastellanError('UNAUTHORIZED');
    const keyHash = keyedHash(key);
    return { caller: await byHash(keyHash), keyHash };
  }

  async function bySession(token: string): Promise<Caller> {
    const keyHash = await sessions.keyHashOf(token);
    if (keyHash === null) throw new CastellanError('UNAUTHORIZED');
    return byHash(keyHash);
  }

  async function authenticate({ method, headers }: Credentials): Promise<Caller> {
    const key = keyOf(headers);
    if (key !== null) return (await byKey(key)).caller;
    const token = sessionTokenOf(headers);
    if (token === null) throw new CastellanError('UNAUTHORIZED');
    const caller = await bySession(token);
    if (method !== 'GET') assertSameOrigin(headers, true);
    return caller;
  }

  return { authenticate, byKey };
}

function keyOf(headers: IncomingHttpHeaders): string | null {
  const own = headers['x-api-key'];
  if (typeof own === 'string') return own;
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}
