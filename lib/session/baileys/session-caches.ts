import type { PossiblyExtendedCacheStore } from '@whiskeysockets/baileys';
import type { Clock } from '../../clock.ts';
import { type BoundedCache, createBoundedCache } from '../bounded-cache.ts';

/**
 * The caches that Baileys would otherwise make for every socket, each with a timer of its own, and lose with it. Here
 * they are shared by the process and bounded, and a connection's part of them lives as long as its activation.
 *
 * A device list that expires costs a new Signal session with every device of the contact, so lists do not expire; the
 * server tells an account that asked for a list when it changes. That is also why lists are kept for each activation and
 * not for all: an account is not told about lists that another one asked for, each account leaves its own device out of
 * its own list, and while another node owned the session the changes were told there.
 */
export interface SessionCaches {
  /** Baileys' cache options for one activation. `scope` must be unique to it. */
  forActivation(scope: string): ActivationCaches;
}

export interface ActivationCaches {
  userDevicesCache: PossiblyExtendedCacheStore;
  msgRetryCounterCache: PossiblyExtendedCacheStore;
  callOfferCache: PossiblyExtendedCacheStore;
  placeholderResendCache: PossiblyExtendedCacheStore;
}

const MAX_DEVICE_LISTS = 200_000;
const MAX_SHORT_LIVED = 50_000;
/** Baileys Defaults: MSG_RETRY and placeholder resends 1 h, CALL_OFFER 5 min */
const RETRY_LIFE_MS = 60 * 60 * 1000;
const CALL_OFFER_LIFE_MS = 5 * 60 * 1000;

interface Entry {
  value: unknown;
  expiresAt: number;
}

export function createSessionCaches(clock: Clock): SessionCaches {
  const devices = createBoundedCache<Entry>(MAX_DEVICE_LISTS, () => 1);
  const shortLived = createBoundedCache<Entry>(MAX_SHORT_LIVED, () => 1);
  return {
    forActivation: (scope) => ({
      userDevicesCache: createView(devices, `${scope}/devices/`, Number.POSITIVE_INFINITY, clock),
      msgRetryCounterCache: createView(shortLived, `${scope}/retry/`, RETRY_LIFE_MS, clock),
      callOfferCache: createView(shortLived, `${scope}/call/`, CALL_OFFER_LIFE_MS, clock),
      placeholderResendCache: createView(shortLived, `${scope}/resend/`, RETRY_LIFE_MS, clock),
    }),
  };
}

function createView(
  cache: BoundedCache<Entry>,
  prefix: string,
  lifeMs: number,
  clock: Clock,
): PossiblyExtendedCacheStore {
  function get<T>(key: string): T | undefined {
    const entry = cache.get(prefix + key);
    if (!entry || entry.expiresAt <= clock.monotonic()) return undefined;
    return entry.value as T;
  }
  const set = (key: string, value: unknown): void =>
    cache.set(prefix + key, { value, expiresAt: clock.monotonic() + lifeMs });

  return {
    get,
    set,
    del: (key) => cache.delete(prefix + key),
    /* Baileys never flushes; what is left of an activation makes room by itself */
    flushAll() {},
    mget: async <T>(keys: string[]) => Object.fromEntries(keys.map((key) => [key, get<T>(key)])),
    mset: (entries) => {
      for (const { key, value } of entries) set(key, value);
    },
  };
}
