import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../lib/config.ts';
import { type Castellan, startCastellan } from '../../../start.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type HttpReceiver, httpReceiver } from '../../helpers/http-receiver.ts';

let directory: string;
let castellan: Castellan;
let receiver: HttpReceiver;
let anna: string;
let bert: string;

async function start(env: Record<string, string> = {}): Promise<void> {
  castellan = await startCastellan(
    loadConfig({
      PORT: '0',
      DATA_DIR: directory,
      LOG_LEVEL: 'silent',
      SERVICES: 'gateway,users,connections,webhooks,scheduler',
      ALLOW_PRIVATE_TARGETS: 'true',
      ...env,
    }),
  );
}

async function call(key: string, method: string, path: string, body?: object) {
  const headers = { 'x-api-key': key, ...(body ? { 'content-type': 'application/json' } : {}) };
  const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
  const response = await fetch(`${castellan.url}/v1/wa${path}`, init);
  // biome-ignore lint/suspicious/noExplicitAny: the tests look into answers of every shape
  return { status: response.status, body: (await response.json()) as any };
}

async function user(username: string): Promise<string> {
  const made = await call(castellan.adminKey, 'POST', '/user/create', {
    userId: username,
    username,
    email: `${username}@example.com`,
  });
  expect(made.status).toBe(201);
  return (await call(castellan.adminKey, 'POST', `/user/${username}/key/create`, {})).body.key;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'castellan-webhooks-'));
  receiver = await httpReceiver();
  await start();
  [anna, bert] = [await user('anna'), await user('bert')];
});

afterEach(async () => {
  await receiver.close();
  await castellan.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('the webhook API', () => {
  test('shows the secret in the first answer only', async () => {
    const created = await call(anna, 'POST', '/webhook/create', { url: receiver.url, eventTypes: ['*'] });
    expect(created).toMatchObject({
      status: 201,
      body: { userId: 'anna', enabled: true, secret: expect.stringMatching(/^whsec_/) },
    });
    const path = `/webhook/${created.body.webhookId}`;
    const { secret, ...shown } = created.body;
    expect(await call(anna, 'GET', path)).toEqual({ status: 200, body: shown });
    expect(await call(anna, 'GET', '/webhook/list')).toEqual({ status: 200, body: { items: [shown], next: null } });
    expect((await call(anna, 'PATCH', path, { url: `${receiver.url}b` })).body).not.toHaveProperty('secret');
    expect(JSON.stringify((await call(anna, 'DELETE', path)).body)).not.toContain(secret);
    expect((await call(anna, 'GET', path)).status).toBe(404);
  });

  // fault 43
  test('answers 404 to everybody else on every route', async () => {
    const { webhookId } = (await call(anna, 'POST', '/webhook/create', { url: receiver.url, eventTypes: ['*'] })).body;
    const path = `/webhook/${webhookId}`;
    const { deliveryId } = (await call(anna, 'POST', `${path}/test`)).body;
    const routes: [method: string, path: string, body?: object][] = [
      ['GET', path],
      ['PATCH', path, { enabled: false }],
      ['DELETE', path],
      ['POST', `${path}/test`],
      ['GET', `${path}/deliveries`],
      ['POST', `${path}/deliveries/${deliveryId}/redeliver`],
      ['POST', `${path}/redeliver`, {}],
    ];
    for (const [method, route, body] of routes) {
      expect([method, route, (await call(bert, method, route, body)).status]).toEqual([method, route, 404]);
    }
    expect((await call(bert, 'GET', '/webhook/list')).body.items).toEqual([]);
    expect((await call(bert, 'GET', '/event/list')).body.items).toEqual([]);
    expect(receiver.received).toHaveLength(1);
    expect((await call(castellan.adminKey, 'GET', path)).status).toBe(200);
  });

  // fault 42 among them
  test('refuses what it cannot take, and stores nothing', async () => {
    const good = { url: receiver.url, eventTypes: ['*'] };
    const bad: object[] = [
      { ...good, url: 'ftp://example.com/' },
      { ...good, url: 'http://user:pass@example.com/' },
      { ...good, url: { $ne: 1 } },
      { ...good, eventTypes: ['nothing.known'] },
      { ...good, eventTypes: [] },
      { ...good, secret: 'whsec_short' },
      { ...good, headers: { 'x-a': 'b\r\nx: y' } },
      { ...good, headers: { host: 'example.com' } },
      { ...good, headers: { 'x-a': { b: 1 } } },
      { ...good, more: true },
    ];
    for (const body of bad)
      expect([body, (await call(anna, 'POST', '/webhook/create', body)).status]).toEqual([body, 400]);
    const foreign = { ...good, connectionId: 'con_01ARZ3NDEKTSV4RRFFQ69G5FAV' };
    expect((await call(anna, 'POST', '/webhook/create', foreign)).status).toBe(404);
    expect((await call(anna, 'GET', '/webhook/list')).body.items).toEqual([]);
  });

  // fault 36
  test('refuses private targets unless they are allowed', async () => {
    await castellan.stop();
    await start({ ALLOW_PRIVATE_TARGETS: 'false' });
    for (const url of [receiver.url, 'http://0x7f.1/', 'http://2130706433/', 'http://[::ffff:a9fe:a9fe]/']) {
      const refused = await call(anna, 'POST', '/webhook/create', { url, eventTypes: ['*'] });
      expect(refused).toMatchObject({ status: 400, body: { error: { type: 'TARGET_FORBIDDEN' } } });
    }
    expect(receiver.connections()).toBe(0);
  });

  test('delivers what the event list shows, and the list goes on from its cursor', async () => {
    await call(anna, 'POST', '/webhook/create', { url: receiver.url, eventTypes: ['message.received'] });
    const append = (n: number) =>
      castellan.runtime.events.append([
        { type: 'message.received', userId: 'anna', connectionId: null, epoch: null, data: { n } },
      ]);
    await append(1);
    await eventually(() => expect(receiver.received).toHaveLength(1));
    const first = (await call(anna, 'GET', '/event/list')).body;
    expect(first).toMatchObject({ next: null, cursor: expect.any(String) });
    expect(JSON.parse(receiver.received[0]?.body as string)).toEqual(first.items[0]);
    const empty = (await call(anna, 'GET', `/event/list?after=${first.cursor}`)).body;
    expect(empty).toEqual({ items: [], next: null, cursor: first.cursor });
    await append(2);
    const second = (await call(anna, 'GET', `/event/list?after=${empty.cursor}&types=message.received`)).body;
    expect(second.items.map((item: { data: unknown }) => item.data)).toEqual([{ n: 2 }]);
  });
});
