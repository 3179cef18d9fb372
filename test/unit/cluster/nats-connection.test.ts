import { describe, expect, test } from '@jest/globals';
import { natsConnection } from '../../../lib/cluster/nats-transporter.ts';

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
});
