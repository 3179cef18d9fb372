import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Context, ServiceBroker, type ServiceSchema } from 'moleculer';
import { systemClock } from '../../../lib/clock.ts';
import { loadConfig } from '../../../lib/config.ts';
import type { User } from '../../../lib/contracts/entities.ts';
import { silentLog } from '../../../lib/log.ts';
import type { Runtime } from '../../../lib/runtime.ts';
import { createVault } from '../../../lib/storage/vault.ts';
import brokerOptions from '../../../moleculer.config.ts';
import { type RunningServer, startNats, startOwnNats } from '../../../scripts/servers/index.ts';
import usersService from '../../../services/users.service.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type TemporaryStore, temporaryStore } from '../../helpers/temporary-store.ts';
import { rejection } from '../storage/conformance-kit.ts';

const ADMIN = { meta: { auth: { userId: 'root', role: 'admin', keyId: 'k' } } };
const MEGABYTE = 1024 * 1024;

/** with a namespace of its own, so that brokers of other tests on the same server stay apart */
function brokerOn(natsUrl: string, nodeId: string, namespace: string): ServiceBroker {
  const config = loadConfig({
    NATS_URL: natsUrl,
    REDIS_URL: 'redis://not-used',
    MONGO_URL: 'mongodb://not-used',
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    ADMIN_API_KEY: 'cst_admin_key_of_a_test',
    NODE_ID: nodeId,
    LOG_LEVEL: 'silent',
  });
  return new ServiceBroker({ ...brokerOptions(config, silentLog), namespace });
}

const echo: ServiceSchema = {
  name: 'echo',
  actions: {
    size: (ctx: Context<{ text: string }>) => ctx.params.text.length,
    text: (ctx: Context<{ length: number }>) => 'x'.repeat(ctx.params.length),
  },
};

describe('two nodes on one bus', () => {
  let server: RunningServer;
  let opened: TemporaryStore;
  let provider: ServiceBroker;
  let caller: ServiceBroker;
  let calls = 0;
  const release = Promise.withResolvers<void>();

  beforeAll(async () => {
    server = await startNats();
    opened = await temporaryStore();
    const namespace = `test-${randomUUID()}`;
    provider = brokerOn(server.url, 'provider', namespace);
    caller = brokerOn(server.url, 'caller', namespace);
    const runtime = { store: opened.store, vault: createVault(randomBytes(32)), clock: systemClock };
    provider.createService(usersService(runtime as Runtime));
    provider.createService(echo);
    provider.createService({ name: 'count', actions: { up: () => ++calls, slow: () => release.promise } });
    await Promise.all([provider.start(), caller.start()]);
    await caller.waitForServices(['users', 'echo', 'count'], 5_000);
  });
  afterAll(async () => {
    await Promise.all([provider.stop(), caller.stop()]);
    await opened.remove();
    await server.stop();
  });

  const createUser = (username: string) =>
    caller.call<User, object>('users.create', { username, email: `${username}@example.org` }, ADMIN);

  /** Untracked: a broker that stops waits for calls that timed out, too. */
  const untilHeard = () =>
    eventually(() => caller.call('count.up', {}, { timeout: 1_000, tracking: false }), { timeoutMs: 15_000 });

  test('call each other by contract', async () => {
    const user = await createUser('ada');
    expect(user).toMatchObject({ username: 'ada', role: 'user' });
    expect(await caller.call('users.get', { userId: user.userId }, { ...ADMIN, nodeID: 'provider' })).toEqual(user);
  });

  test('errors keep their type, status and data', async () => {
    await createUser('berta');
    await expect(createUser('berta')).rejects.toMatchObject({ type: 'CONFLICT', code: 409, retryable: false });
    const unknown = caller.call('users.get', { userId: 'usr_00000000000000000000000000' }, ADMIN);
    await expect(unknown).rejects.toMatchObject({ type: 'NOT_FOUND', code: 404 });
    const strange = caller.call('users.create', { username: 'x', email: 'x@example.org', extra: 1 }, ADMIN);
    await expect(strange).rejects.toMatchObject({ type: 'VALIDATION_ERROR' });
  });

  test('a call that is too large for the bus is PAYLOAD_TOO_LARGE for its caller, at once', async () => {
    const startedAt = performance.now();
    expect(await rejection(caller.call('echo.size', { text: 'x'.repeat(MEGABYTE) }))).toBe('PAYLOAD_TOO_LARGE');
    expect(await caller.call('echo.size', { text: 'x'.repeat(MEGABYTE / 2) })).toBe(MEGABYTE / 2);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  test('an answer that is too large is PAYLOAD_TOO_LARGE for whoever waits for it, at once', async () => {
    const startedAt = performance.now();
    expect(await rejection(caller.call('echo.text', { length: MEGABYTE }))).toBe('PAYLOAD_TOO_LARGE');
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(await caller.call('echo.text', { length: 3 })).toBe('xxx');
  });

  test('a request that NATS delivers after its caller has given up is not run (fault 9)', async () => {
    if (!server.process) return;
    /* a heartbeat has been heard: otherwise nobody knows how fast this caller's packets are */
    await caller.call('count.up');
    const before = calls;
    server.process.pause();
    const late = await Promise.all(
      Array.from({ length: 5 }, () => rejection(caller.call('count.up', {}, { timeout: 300, tracking: false }))),
    );
    expect(new Set(late)).toEqual(new Set(['REQUEST_TIMEOUT']));
    /* how late is known as exactly as the fastest packet lately was fast: on a busy machine that is not very */
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    /* this one still has somebody who waits for it */
    const inTime = caller.call('count.up', {}, { timeout: 10_000 });
    server.process.resume();
    expect(await inTime).toBe(before + 1);
    expect(calls).toBe(before + 1);
  });

  test('while NATS is away calls fail at once and never run later; afterwards everything goes on', async () => {
    if (!server.process) return;
    await caller.call('count.up');
    await server.process.kill();
    await eventually(async () => expect(await rejection(caller.call('count.up'))).toBe('SERVICE_UNAVAILABLE'));
    const startedAt = performance.now();
    const refused = await Promise.all(Array.from({ length: 20 }, () => rejection(caller.call('count.up'))));
    expect(new Set(refused)).toEqual(new Set(['SERVICE_UNAVAILABLE']));
    expect(performance.now() - startedAt).toBeLessThan(1_000);

    await server.process.start();
    const before = calls;
    /* the caller may be back before the provider is, and then nobody hears it */
    expect(await untilHeard()).toBe(before + 1);
    expect(calls).toBe(before + 1);
    expect(await createUser('carla')).toMatchObject({ username: 'carla' });
  });

  test('a call that is under way when NATS goes away is OUTCOME_UNKNOWN, without waiting for its timeout', async () => {
    if (!server.process) return;
    const underWay = rejection(caller.call('count.slow'));
    await caller.call('count.up');
    await server.process.kill();
    expect(await underWay).toBe('OUTCOME_UNKNOWN');
    release.resolve();
    await server.process.start();
    await untilHeard();
  });

  test('a node stops in time although NATS is gone', async () => {
    if (!server.process) return;
    await server.process.kill();
    const startedAt = performance.now();
    await Promise.all([caller.stop(), provider.stop()]);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

describe('a bus with a password', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startOwnNats(['--user', 'castle llan', '--pass', 'p@ss:w/rd']);
  });
  afterAll(() => server.stop());

  const withCredentials = (credentials: string) => server.url.replace('nats://', `nats://${credentials}@`);

  test('takes user and password from the URL, escapes resolved', async () => {
    const broker = brokerOn(withCredentials('castle%20llan:p%40ss%3Aw%2Frd'), 'n', randomUUID());
    broker.createService(echo);
    await broker.start();
    expect(await broker.call('echo.size', { text: 'abc' })).toBe(3);
    expect(broker.transit?.connected).toBe(true);
    await broker.stop();
  });
});
