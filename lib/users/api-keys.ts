import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Caller } from '../contracts/action.ts';
import type { ApiKey, Page } from '../contracts/entities.ts';
import type { PageParams } from '../contracts/params.ts';
import { found } from '../contracts/scope.ts';
import { reservedId } from '../ids.ts';
import type { ApiKeyDoc, UserDoc } from '../storage/collections.ts';
import { findPage } from '../storage/page.ts';
import type { Store } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';
import { apiKeyView } from './user-view.ts';

/** Makes a key recognisable in logs and to secret scanners. */
const KEY_PREFIX = 'cst_';
const KEY_BYTES = 32;

/** API keys: shown once, stored as keyed hashes, so that neither a dump of the store nor a rainbow table yields one. */
export interface ApiKeys {
  /** @returns the key's row with the key itself. @throws NOT_FOUND when there is no such user */
  create(userId: string, name: string | null, reservedUlid?: string): Promise<ApiKey>;
  list(userId: string, page: PageParams): Promise<Page<ApiKey>>;
  /** Idempotent: the time of the first revocation stays. @throws NOT_FOUND */
  revoke(userId: string, keyId: string): Promise<ApiKey>;
  /** @param hash the vault's keyed hash of a key. @returns whose it is; null when unknown, revoked or its user is gone */
  authenticate(hash: string): Promise<Caller | null>;
}

export function createApiKeys(store: Store, vault: Vault, clock: Clock): ApiKeys {
  const keys = store.collection<ApiKeyDoc>('apiKeys');
  const users = store.collection<UserDoc>('users');

  async function create(userId: string, name: string | null, reservedUlid?: string): Promise<ApiKey> {
    found(await users.findOne({ _id: userId }));
    const key = KEY_PREFIX + randomBytes(KEY_BYTES).toString('base64url');
    const _id = reservedId('key', reservedUlid);
    const hash = vault.keyedHash(key);
    const doc: ApiKeyDoc = { _id, userId, name, hash, createdAt: clock.now(), revokedAt: null };
    /* A crash after this write and before the answer was kept leaves a key that nobody has seen. The repeat comes with
       the same id and gets a new secret in its place: the old one opened no door yet. */
    const { _id: _, ...fields } = doc;
    await keys.updateOne({ _id }, { $set: fields }, { upsert: true });
    return { ...apiKeyView(doc), key };
  }

  async function revoke(userId: string, keyId: string): Promise<ApiKey> {
    const filter = { _id: keyId, userId };
    await keys.updateOne({ ...filter, revokedAt: null }, { $set: { revokedAt: clock.now() } });
    return apiKeyView(found(await keys.findOne(filter)));
  }

  async function authenticate(hash: string): Promise<Caller | null> {
    const row = await keys.findOne({ hash, revokedAt: null });
    const user = row && (await users.findOne({ _id: row.userId }));
    return row && user ? { userId: user._id, role: user.role, keyId: row._id } : null;
  }

  return {
    create,
    list: (userId, page) => findPage(keys, { userId }, 'createdAt', page, apiKeyView),
    revoke,
    authenticate,
  };
}
