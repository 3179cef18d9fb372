import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Caller } from '../contracts/action.ts';
import { CastellanError } from '../errors.ts';

/** A revoked key must be 401 within 5 s; this is the most that a gateway may remember. */
const CACHE_TTL_MS = 2_000;
const CACHE_MAX_ENTRIES = 10_000;
const KEY_PATTERN = /^[\x21-\x7e]{1,255}$/;

/** Who the holder of the bootstrap key is: an id that no user can have been given. */
export const BOOTSTRAP_ADMIN: Caller = { userId: 'usr_00000000000000000000000000', role: 'admin', keyId: 'bootstrap' };

export interface Authenticator {
  /** @throws UNAUTHORIZED */
  authenticate(headers: IncomingHttpHeaders): Promise<Caller>;
}

export interface AuthenticatorOptions {
  clock: Clock;
  adminKey: string;
  keyedHash(key: string): string;
  /** @returns whose key has this hash, null when nobody's */
  lookUp(hash: string): Promise<Caller | null>;
}

export function createAuthenticator({ clock, adminKey, keyedHash, lookUp }: AuthenticatorOptions): Authenticator {
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

  async function authenticate(headers: IncomingHttpHeaders): Promise<Caller> {
    const key = keyOf(headers);
    if (key === null || !KEY_PATTERN.test(key)) throw new CastellanError('UNAUTHORIZED');
    const hash = keyedHash(key);
    /* hashes of equal length under a secret key: comparing them tells nothing about the admin key */
    if (timingSafeEqual(Buffer.from(hash), adminHash)) return BOOTSTRAP_ADMIN;
    const caller = await cachedLookUp(hash);
    if (!caller) throw new CastellanError('UNAUTHORIZED');
    return caller;
  }

  return { authenticate };
}

function keyOf(headers: IncomingHttpHeaders): string | null {
  const own = headers['x-api-key'];
  if (typeof own === 'string') return own;
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}
