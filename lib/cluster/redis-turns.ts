import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { AppendTurn, AppendTurns } from '../storage/append-turns.port.ts';
import { CLIENT_OPTIONS, DEFAULT_PREFIX } from './redis-client.ts';

export interface RedisTurnsOptions {
  /** `redis://` or `rediss://` */
  url: string;
  /** before the key; default `{castellan}:` */
  prefix?: string;
  /** how long a turn is waited for before one goes without it, ms; default 750 */
  patienceMs?: number;
}

/** Several transactions of a busy store. Who holds the turn and is killed costs the others this, once. */
const PATIENCE_MS = 750;
/** for the server's own answer that nothing came */
const ANSWER_MARGIN_MS = 250;
const PASS = readFileSync(new URL('./lua/pass-turn.lua', import.meta.url), 'utf8');

const NO_TURN: AppendTurn = { mine: false, over() {} };

/**
 * Turns by a token in a Redis list: `BLPOP` serves those who wait in the order in which they came. A token that got lost
 * (its holder was killed, Redis was flushed) is made anew by the first who has waited in vain. A server that does not even
 * say that nothing came is not asked again before it does: one goes without a turn meanwhile.
 */
export function createRedisTurns({
  url,
  prefix = DEFAULT_PREFIX,
  patienceMs = PATIENCE_MS,
}: RedisTurnsOptions): AppendTurns {
  const key = `${prefix}turn:append`;
  /* a waiting command is no silent server */
  const { commandTimeout: _own, socketTimeout: _silence, ...options } = CLIENT_OPTIONS;
  const redis = new Redis(url, { ...options, connectionName: 'castellan-turns' });
  /* what the locks have logged already; without Redis there are no turns */
  redis.on('error', () => undefined);
  redis.connect().catch(() => undefined);

  /** waited in vain and are not answered yet */
  let owed = 0;
  const pass = (): void => void redis.eval(PASS, 1, key).catch(() => undefined);

  return {
    async take() {
      if (redis.status !== 'ready' || owed > 0) return NO_TURN;
      let waits = true;
      const answer = redis
        .blpop(key, patienceMs / 1_000)
        .then((found) => {
          /* it came when nobody waited for it any more */
          if (found && !waits) pass();
          return found ? 'token' : 'nothing';
        })
        .catch(() => 'away');
      const first = await Promise.race([answer, delay(patienceMs + ANSWER_MARGIN_MS, 'silence', { ref: false })]);
      waits = false;
      if (first === 'silence') {
        owed += 1;
        void answer.finally(() => {
          owed -= 1;
        });
      }
      return first === 'away' ? NO_TURN : { mine: first === 'token', over: pass };
    },
    close: () => redis.disconnect(),
  };
}
