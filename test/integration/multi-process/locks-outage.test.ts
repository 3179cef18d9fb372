import { Redis } from 'ioredis';
import { eventually } from '../../helpers/eventually.ts';
import { tryEveryRoute } from '../../helpers/every-route.ts';
import { type HttpReceiver, httpReceiver } from '../../helpers/http-receiver.ts';
import {
  INNER_SERVICES,
  type Line,
  type Member,
  startTestCluster,
  type TestCluster,
  type TestUser,
} from '../../helpers/test-cluster.ts';

let cluster: TestCluster;
let gateway: Member;
let receiver: HttpReceiver;
let user: TestUser;
let line: Line;
let other: Line;

beforeAll(async () => {
  [cluster, receiver] = await Promise.all([startTestCluster(), httpReceiver()]);
  gateway = await cluster.join('gateway', 'gateway');
  await cluster.join('inner', INNER_SERVICES);
  await cluster.join('node-1', 'session-node');
  await cluster.join('node-2', 'session-node');
  user = await cluster.newUser('ada');
  line = await cluster.openLine(user.api, '15550001111');
  other = await cluster.openLine(user.api, '15550002222');
  await user.api.post('/v1/wa/webhook/create', { url: receiver.url, eventTypes: ['message.sent'] });
}, 120_000);
afterAll(async () => {
  await cluster?.end();
  await receiver?.close();
});

const send = (content: string, to?: string) => {
  const message = { connectionId: line.connectionId, content, wait: 'sent', timeoutMs: 20_000, ...(to && { to }) };
  return user.api.post('/v1/wa/message/send', message);
};

const delivered = () => receiver.received.map(({ body }) => JSON.parse(body).data.message.content.text);

test('without Redis messages are sent, webhooks delivered, lists read (fault 10)', async () => {
  await cluster.redis.kill();
  const answers = await Promise.all([send('one'), send('two'), send('three', '15550002222')]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  await eventually(() => expect(new Set(delivered())).toEqual(new Set(['one', 'two', 'three'])), { timeoutMs: 30_000 });
  expect((await user.api.get('/v1/wa/connection/list')).body.items).toHaveLength(2);
}, 120_000);

test('what concerns a running connection reaches its node without Redis, by the row', async () => {
  const pairing = await user.api.post(`/v1/wa/connection/${line.connectionId}/auth/pairing-code`, {
    phoneNumber: '15550001111',
  });
  /* only the node that runs it knows that it needs no code */
  expect([pairing.status, pairing.body.error.type]).toEqual([409, 'WRONG_STATE']);
  const answer = await user.api.post(`/v1/wa/connection/${other.connectionId}/logout`, {});
  expect([answer.status, answer.body.status]).toEqual([200, 'logged_out']);
}, 120_000);

test('no route is a 500 without Redis', async () => {
  const withoutStreams = { connectionId: 'con_00000000000000000000000000', userId: user.userId };
  const statuses = (await tryEveryRoute(gateway.admin, withoutStreams)).map(({ answer }) => answer.status);
  expect(statuses.filter((status) => status >= 500 && status !== 503)).toEqual([]);
}, 120_000);

test('with Redis back, and everything in it forgotten, the cluster goes on (fault 12)', async () => {
  await cluster.redis.start();
  const third = await eventually(async () => cluster.openLine(user.api, `1555${Date.now() % 10_000_000}`), {
    timeoutMs: 60_000,
  });
  expect((await user.api.get(`/v1/wa/connection/${third.connectionId}`)).body.worker).not.toBeNull();
  expect((await send('four')).status).toBe(200);
}, 120_000);

test('after FLUSHALL the sessions stay, and the led work has a leader again (fault 11)', async () => {
  const redis = new Redis(cluster.redisUrl);
  await redis.flushall();
  expect((await send('five')).status).toBe(200);
  const { locks } = gateway.runtime;
  await eventually(async () => {
    for (const lead of ['lead:webhooks', 'lead:scheduler']) expect(await locks.holderOf(lead)).toMatch(/^inner:/);
  });
  await eventually(() => expect(delivered()).toContain('five'), { timeoutMs: 30_000 });
  redis.disconnect();
}, 120_000);
