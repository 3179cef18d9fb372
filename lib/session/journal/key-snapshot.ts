import type { SessionKeyDoc } from '../../storage/collections.ts';
import type { Collection } from '../../storage/port.ts';
import type { Vault } from '../../storage/vault.ts';
import type { BoundedCache } from '../bounded-cache.ts';
import { CREDENTIALS_KEY, type DurableEntry, encodeCredentials, keyDocId, openKey, sealKey } from './entry.ts';

/**
 * The keys of one session as of its newest durable entry: what is not yet written to `sessionKeys` (`dirty`, `writing`),
 * over a cache that all sessions of the process share, over the stored documents. Nothing is loaded before it is asked
 * for, so an idle session costs next to nothing. Values are bytes: nobody can change one in place.
 */
export interface KeySnapshot {
  /** @returns for every name its value, null where there is none. @throws SESSION_QUARANTINED, STORE_UNAVAILABLE */
  read(names: readonly string[]): Promise<Map<string, Uint8Array | null>>;
  add(entry: DurableEntry): void;
  /** Writes what is dirty, last value only, older writers' values never over newer ones. @throws STORE_UNAVAILABLE */
  flush(): Promise<void>;
  readonly dirtyCount: number;
  /** keys of entries before this one are void */
  readonly floor: number;
  /** the entry that the stored credentials come from, 0 = none */
  readonly credentialsSeq: number;
}

export type KeyCache = BoundedCache<{ value: Uint8Array | null }>;

/**
 * Values written in such numbers (812 pre-keys of a registration) are read once at most: not worth a cache. They are new:
 * an insert costs a store a fraction of an upsert.
 */
const BULK_KEYS = 100;
const READ_PER_CALL = 500;
/** so few that a slow store answers in time; what it has answered is not written again when a later call fails */
const WRITTEN_PER_CALL = 100;

interface Value {
  value: Uint8Array | null;
  seq: number;
}

interface Options {
  connectionId: string;
  keys: Collection<SessionKeyDoc>;
  vault: Vault;
  cache: KeyCache;
  /** unique to the activation: a value of an earlier one may be stale */
  cachePrefix: string;
  floor: number;
  credentialsSeq: number;
}

export function createKeySnapshot(options: Options): KeySnapshot {
  const { connectionId, keys, vault, cache } = options;
  let dirty = new Map<string, Value>();
  let writing = new Map<string, Value>();
  let { floor, credentialsSeq } = options;
  /** counts finished flushes: a read that began before one must not fill the cache after it */
  let generation = 0;

  const cacheKey = (name: string) => `${options.cachePrefix}/${floor}/${name}`;

  function known(name: string): Uint8Array | null | undefined {
    const value = dirty.get(name) ?? writing.get(name);
    if (value && value.seq >= floor) return value.value;
    return cache.get(cacheKey(name))?.value;
  }

  async function load(names: readonly string[]): Promise<Map<string, Uint8Array | null>> {
    const began = generation;
    const loaded = new Map<string, Uint8Array | null>();
    for (let from = 0; from < names.length; from += READ_PER_CALL) {
      const part = names.slice(from, from + READ_PER_CALL);
      const docs = await keys.find({ _id: { $in: part.map((name) => keyDocId(connectionId, name)) } });
      const byId = new Map(docs.map((doc) => [doc._id, doc]));
      for (const name of part) {
        const doc = byId.get(keyDocId(connectionId, name));
        loaded.set(name, doc && doc.seq >= floor ? openKey(vault, doc) : null);
      }
    }
    if (began === generation && names.length <= BULK_KEYS) for (const [name, value] of loaded) remember(name, value);
    return loaded;
  }

  function remember(name: string, value: Uint8Array | null): void {
    if (known(name) === undefined) cache.set(cacheKey(name), { value });
  }

  function settle(written: readonly [string, Value][], inBulk: boolean): void {
    generation++;
    for (const [name, { value, seq }] of written) {
      if (name === CREDENTIALS_KEY) credentialsSeq = seq;
      if (inBulk || seq < floor) cache.delete(cacheKey(name));
      else cache.set(cacheKey(name), { value });
      writing.delete(name);
    }
  }

  async function write(docs: readonly SessionKeyDoc[], inBulk: boolean): Promise<void> {
    if (!inBulk) return keys.replaceIfNewer(docs, 'seq');
    const outcomes = await keys.insertMany(docs);
    const there = docs.filter((_doc, at) => outcomes[at] === 'duplicate');
    if (there.length > 0) await keys.replaceIfNewer(there, 'seq');
  }

  return {
    async read(names) {
      const result = new Map<string, Uint8Array | null>();
      const missing: string[] = [];
      for (const name of names) {
        const value = known(name);
        if (value === undefined) missing.push(name);
        else result.set(name, value);
      }
      if (missing.length === 0) return result;
      /* what changed while the store was asked is newer than its answer */
      for (const [name, value] of await load(missing)) {
        const newer = known(name);
        result.set(name, newer === undefined ? value : newer);
      }
      return result;
    },
    add(entry) {
      if (entry.reset) {
        dirty.clear();
        floor = entry.seq;
      }
      for (const [name, value] of entry.keys) dirty.set(name, { value, seq: entry.seq });
      if (entry.credentials) {
        dirty.set(CREDENTIALS_KEY, { value: encodeCredentials(entry.credentials), seq: entry.seq });
      }
    },
    async flush() {
      if (dirty.size === 0) return;
      writing = dirty;
      dirty = new Map();
      const inBulk = writing.size > BULK_KEYS;
      const all = [...writing];
      try {
        for (let from = 0; from < all.length; from += WRITTEN_PER_CALL) {
          const part = all.slice(from, from + WRITTEN_PER_CALL);
          const docs = part.map(([name, { value, seq }]) => sealKey(vault, connectionId, name, value, seq));
          await write(docs, inBulk);
          settle(part, inBulk);
        }
      } catch (error) {
        dirty = new Map([...writing, ...dirty]);
        writing = new Map();
        throw error;
      }
    },
    get dirtyCount() {
      return dirty.size + writing.size;
    },
    get floor() {
      return floor;
    },
    get credentialsSeq() {
      return credentialsSeq;
    },
  };
}
