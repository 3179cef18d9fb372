import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { CastellanError } from '../errors.ts';
import { type Log, silentLog } from '../log.ts';
import type { Locks, RenewOutcome } from './locks.port.ts';
import { CLIENT_OPTIONS, DEFAULT_PREFIX } from './redis-client.ts';

export interface RedisLocksOptions {
  /** `redis://` or `rediss://` */
  url: string;
  log?: Log;
  /** before every key. The braces put all of them into one slot of a Redis Cluster; default `{castellan}:` */
  prefix?: string;
}

const KEYS_PER_RENEWAL = 1_000;

const OUTCOMES: Record<number, RenewOutcome> = { 1: 'renewed', 0: 'missing', [-1]: 'lost' };

const script = (name: string): string => readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
const CLAIM = script('claim');
const CLAIM_IN_GENERATION = script('claim-in-generation');
const RENEW = script('renew');
const RELEASE = script('release');
const GENERATION = script('generation');

function time(ttlMs: number): number {
  if (!(ttlMs > 0)) throw new CastellanError('BAD_REQUEST', 'ttlMs must be above 0.');
  return Math.ceil(ttlMs);
}

function lockValue(holder: string, lease = 0): string {
  return `${holder}#${lease}`;
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size));
}

/** One line when it goes away and one when it is back, not one for each attempt. */
function logState(redis: Redis, log: Log): void {
  let away = false;
  redis.on('error', (error: unknown) => {
    if (!away) log.warn({ err: error }, 'Redis cannot be reached: no lock can be claimed');
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.info({}, 'Redis is back');
    away = false;
  });
}

const MAX_REPLICA_LAG_S = 2;

/**
 * A master that goes on alone after a failover gives locks away that nobody else knows of. `min-replicas-to-write` with a
 * lag of at most 2 s makes it stop before a holder's deadline.
 */
async function warnOfLooseReplicas(redis: Redis, log: Log): Promise<void> {
  try {
    const replicas = /connected_slaves:(\d+)/.exec(await redis.info('replication'))?.[1];
    if (Number(replicas ?? 0) === 0) return;
    const settings = (await redis.config('GET', 'min-replicas-*')) as string[];
    const settingOf = (name: string) => Number(settings[settings.indexOf(name) + 1] ?? 0);
    if (settingOf('min-replicas-to-write') >= 1 && settingOf('min-replicas-max-lag') <= MAX_REPLICA_LAG_S) return;
    log.warn({}, 'Redis has replicas, but min-replicas-to-write 1 and min-replicas-max-lag 2 are not set');
  } catch (error) {
    log.info({ err: error }, 'Redis does not tell about its replicas');
  }
}

/**
 * Locks of a cluster. Scripts are sent whole: they are short, and a restarted Redis has forgotten those that it was told
 * before.
 *
 * @throws STORE_UNAVAILABLE when Redis does not answer within 2 s
 */
export async function openRedisLocks({
  url,
  log = silentLog,
  prefix = DEFAULT_PREFIX,
}: RedisLocksOptions): Promise<Locks> {
  const redis = new Redis(url, CLIENT_OPTIONS);
  logState(redis, log);
  const named = (key: string) => `${prefix}lock:${key}`;
  const generationKey = `${prefix}generation`;

  async function asking<R>(ask: () => Promise<R>): Promise<R> {
    try {
      return await ask();
    } catch (cause) {
      throw new CastellanError('STORE_UNAVAILABLE', 'The locks cannot be reached at the moment.', undefined, { cause });
    }
  }

  const run = (text: string, keys: readonly string[], ...args: (string | number)[]): Promise<unknown> =>
    asking(() => redis.eval(text, keys.length, ...keys, ...args));

  try {
    await asking(() => redis.connect());
    await warnOfLooseReplicas(redis, log);
  } catch (error) {
    redis.disconnect();
    throw error;
  }

  return {
    async claim(key, holder, ttlMs, { over = null, lease = 0 } = {}) {
      const answer = await run(CLAIM, [named(key)], holder, lease, time(ttlMs), over ?? '');
      const [now, mine] = answer as [string, number];
      return { mine: mine === 1, holder: now };
    },

    async claimInGeneration(key, holder, ttlMs, generation, { lease = 0 } = {}) {
      const keys = [named(key), generationKey];
      const answer = await run(CLAIM_IN_GENERATION, keys, holder, lease, time(ttlMs), generation);
      const [now, mine, forgotten] = answer as [string | null, number, number];
      return { mine: mine === 1, holder: now, forgotten: forgotten === 1 };
    },

    async renew(keys, holder, ttlMs, leases = []) {
      const ttl = time(ttlMs);
      const held = keys.map((key, index) => ({ key: named(key), value: lockValue(holder, leases[index]) }));
      const answers = await Promise.all(
        chunks(held, KEYS_PER_RENEWAL).map((chunk) =>
          run(
            RENEW,
            chunk.map(({ key }) => key),
            ttl,
            ...chunk.map(({ value }) => value),
          ),
        ),
      );
      return (answers.flat() as number[]).map((code) => OUTCOMES[code] as RenewOutcome);
    },

    release: async (key, holder, lease) => (await run(RELEASE, [named(key)], lockValue(holder, lease))) === 1,

    async holderOf(key) {
      const value = await asking(() => redis.get(named(key)));
      return value?.slice(0, value.lastIndexOf('#')) ?? null;
    },

    generation: async () => (await run(GENERATION, [generationKey], randomUUID())) as string,

    async close() {
      redis.disconnect();
    },
  };
}
