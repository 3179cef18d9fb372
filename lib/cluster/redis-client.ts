import type { RedisOptions } from 'ioredis';

/** The braces put all keys into one slot of a Redis Cluster. */
export const DEFAULT_PREFIX = '{castellan}:';
const COMMAND_TIMEOUT_MS = 2_000;
/** a server that holds the connection and does not answer: a new connection */
const SILENCE_MS = 5_000;
/** how long a closed connection may take to say goodbye */
const GOODBYE_MS = 100;
const LONGEST_RECONNECT_PAUSE_MS = 500;

/**
 * Nothing is queued while Redis is away and nothing is sent a second time: a command of an activation that has ended
 * meanwhile must not take a lock. What has no answer after 2 s is given up.
 */
export const CLIENT_OPTIONS: RedisOptions = {
  lazyConnect: true,
  connectionName: 'castellan',
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: COMMAND_TIMEOUT_MS,
  commandTimeout: COMMAND_TIMEOUT_MS,
  socketTimeout: SILENCE_MS,
  disconnectTimeout: GOODBYE_MS,
  retryStrategy: (attempt) => Math.min(attempt * 50, LONGEST_RECONNECT_PAUSE_MS),
  /* a master that became a replica: connect anew, and let the caller decide about the command */
  reconnectOnError: (error) => error.message.startsWith('READONLY'),
};
