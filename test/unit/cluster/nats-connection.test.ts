import { describe, expect, test } from '@jest/globals';
import { natsConnection } from '../../../lib/cluster/nats-transporter.ts';
import { loadConfig } from '../../../lib/config.ts';

const ENCRYPTION_KEY = Buffer.alloc(32, 1).toString('base64');

describe('a NATS URL', () => {
  test.each([
    ['nats://a:4222', { servers: ['a:4222'] }],
    ['nats://a:4222, nats://b:4223', { servers: ['a:4222', 'b:4223'] }],
    ['nats://me:p%40ss%3A@a:4222,nats://b:4222', { servers: ['a:4222', 'b:4222'], user: 'me', pass: 'p@ss:' }],
    ['nats://a-token@a:4222', { servers: ['a:4222'], token: 'a-token' }],
    ['tls://me:word@a:4222', { servers: ['a:4222'], user: 'me', pass: 'word', tls: {} }],
    ['nats://a:4222,tls://b:4222', { servers: ['a:4222', 'b:4222'], tls: {} }],
  ])('%s', (url, expected) => {
    expect(natsConnection(url)).toEqual(expected);
  });

  test('of several, each is checked', () => {
    expect(loadConfig({ NATS_URL: 'nats://a:4222, tls://b:4222' }).natsUrl).toBe('nats://a:4222,tls://b:4222');
    for (const bad of ['http://a', 'nats://a:4222,http://b', 'nonsense']) {
      expect(() => loadConfig({ NATS_URL: bad })).toThrow(/^NATS_URL must be/);
    }
  });
});

describe('a MongoDB URL', () => {
  test.each([
    'mongodb://a',
    'mongodb://a:27017/db?replicaSet=rs0',
    'mongodb://me:p%40ss@a:27017,b:27018,c/db?replicaSet=rs0',
    'mongodb+srv://cluster.example.org/db',
  ])('%s is taken as it is', (url) => {
    expect(loadConfig({ MONGO_URL: url, ENCRYPTION_KEY }).mongoUrl).toBe(url);
  });

  test.each(['http://a', 'mongodb://', 'mongodb://a:port,b:1', 'nonsense'])('%s is refused', (url) => {
    expect(() => loadConfig({ MONGO_URL: url, ENCRYPTION_KEY })).toThrow(/^MONGO_URL must be/);
  });
});
