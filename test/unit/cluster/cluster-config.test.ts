import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../../lib/config.ts';

const CLUSTER = {
  NATS_URL: 'nats://a:4222',
  REDIS_URL: 'redis://a:6379',
  MONGO_URL: 'mongodb://a:27017',
  ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
  ADMIN_API_KEY: 'cst_admin_key_of_a_test',
};
const load = (env: Record<string, string>) => loadConfig({ ...CLUSTER, ...env });
const urls = (env: Record<string, string>) => load(env).cluster;

describe('the configuration of a cluster', () => {
  test.each(Object.keys(CLUSTER))('without %s it is refused, with words that name it', (name) => {
    expect(() => load({ [name]: '' })).toThrow(new RegExp(`^${name} must be set`));
  });

  test('without any URL everything is embedded', () => {
    expect(loadConfig({}).cluster).toBeNull();
  });

  test('of several NATS URLs each is checked', () => {
    expect(urls({ NATS_URL: 'nats://a:4222, tls://b:4222' })?.natsUrl).toBe('nats://a:4222,tls://b:4222');
    for (const bad of ['http://a', 'nats://a:4222,http://b', 'nonsense']) {
      expect(() => load({ NATS_URL: bad })).toThrow(/^NATS_URL must be/);
    }
  });

  test.each([
    'mongodb://a',
    'mongodb://a:27017/db?replicaSet=rs0',
    'mongodb://me:p%40ss@a:27017,b:27018,c/db?replicaSet=rs0',
    'mongodb+srv://cluster.example.org/db',
  ])('the MongoDB URL %s is taken as it is', (url) => {
    expect(urls({ MONGO_URL: url })?.mongoUrl).toBe(url);
  });

  test.each(['http://a', 'mongodb://', 'mongodb://a:port,b:1', 'nonsense'])('the MongoDB URL %s is refused', (url) => {
    expect(() => load({ MONGO_URL: url })).toThrow(/^MONGO_URL must be/);
  });

  test.each(['', 'two words', 'a:b', '-a', 'x'.repeat(129)])('the node id %j is refused unless it is empty', (id) => {
    if (id === '') expect(load({ NODE_ID: id }).nodeId).not.toBe('');
    else expect(() => load({ NODE_ID: id })).toThrow(/^NODE_ID must be/);
  });

  test.each([
    [{ LOCK_RENEW_MS: '4000' }, 'LOCK_RENEW_MS must fit three times into LOCK_TTL_MS'],
    [{ HEARTBEAT_MS: '4000' }, 'HEARTBEAT_MS must fit three times into OWNER_SILENCE_MS'],
    [{ LEASE_DEADLINE_MS: '9500' }, 'LEASE_DEADLINE_MS must be 1000 below'],
    [{ LEASE_DEADLINE_MS: '3500' }, 'must fit more than twice into LEASE_DEADLINE_MS'],
    [{ MEMBERSHIP_READ_MS: '1000' }, 'MEMBERSHIP_READ_MS must fit four times into MEMBERSHIP_GAP_MS'],
    [{ MEMBERSHIP_GAP_MS: '10000' }, 'MEMBERSHIP_GAP_MS must be below OWNER_SILENCE_MS'],
    [{ LOCK_TTL_MS: '1' }, 'LOCK_TTL_MS must be a whole number'],
  ])('timings that do not fit together are refused: %j', (env, words) => {
    expect(() => load(env as Record<string, string>)).toThrow(words);
  });
});
