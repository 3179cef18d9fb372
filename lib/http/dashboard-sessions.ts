import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Caller } from '../contracts/action.ts';
import type { DashboardSessionDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';

/** Then one signs in again, however busy the session was. */
export const SESSION_LIFETIME_MS = 12 * 3_600_000;
/** How long another gateway may take to see that somebody signed out. */
const CACHE_TTL_MS = 2_000;
const CACHE_MAX_ENTRIES = 10_000;
const TOKEN_BYTES = 32;

/**
 * Sessions of the dashboard. A session is a stand-in for an API key: it names the key's hash, and whoever comes with it
 * is looked up by that hash as if it had brought the key. So a revoked key, a deleted user or another role is seen as
 * soon as with the key itself. The store knows tokens by their keyed hashes only.
 */
export interface DashboardSessions {
  /** @returns the token for the cookie */
  begin(caller: Caller, keyHash: string): Promise<string>;
  /** @returns the hash of the key that the session stands for; null when there is no such session (any more) */
  keyHashOf(token: string): Promise<string | null>;
  end(token: string): Promise<void>;
}

export interface DashboardSessionsOptions {
  store: Store;
  vault: Pick<Vault, 'keyedHash'>;
  clock: Clock;
}

export function createDashboardSessions({ store, vault, clock }: DashboardSessionsOptions): DashboardSessions {
  const rows = store.collection<DashboardSessionDoc>('dashboardSessions');
  const cache = new Map<string, { row: Promise<DashboardSessionDoc | null>; until: number }>();
  const idOf = (token: string) => vault.keyedHash(`dashboard-session:${token}`);

  function cachedRow(_id: string): Promise<DashboardSessionDoc | null> {
    const now = clock.monotonic();
    const hit = cache.get(_id);
    if (hit && hit.until > now) return hit.row;
    if (cache.size >= CACHE_MAX_ENTRIES) cache.clear();
    const row = rows.findOne({ _id });
    cache.set(_id, { row, until: now + CACHE_TTL_MS });
    row.catch(() => cache.delete(_id));
    return row;
  }

  return {
    async begin({ userId, keyId }, keyHash) {
      const token = randomBytes(TOKEN_BYTES).toString('base64url');
      const createdAt = clock.now();
      const expiresAt = createdAt + SESSION_LIFETIME_MS;
      await rows.insertOne({ _id: idOf(token), keyHash, keyId, userId, createdAt, expiresAt });
      return token;
    },

    async keyHashOf(token) {
      const row = await cachedRow(idOf(token));
      return row && row.expiresAt > clock.now() ? row.keyHash : null;
    },

    async end(token) {
      const _id = idOf(token);
      await rows.deleteOne({ _id });
      cache.delete(_id);
    },
  };
}
