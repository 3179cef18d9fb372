import { createApi } from '../../helpers/api.ts';
import { eventually } from '../../helpers/eventually.ts';
import { tryEveryRoute, unfitting } from '../../helpers/every-route.ts';
import { slowStore } from '../../helpers/slow-store.ts';
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
let user: TestUser;
let line: Line;

beforeAll(async () => {
  cluster = await startTestCluster({ durable: true });
  gateway = await cluster.join('gateway', 'gateway');
  await cluster.join('inner', INNER_SERVICES);
  await cluster.join('node', 'session-node');
  user = await cluster.newUser('ada');
  line = await cluster.openLine(user.api, '15550001111');
}, 120_000);
afterAll(() => cluster?.end());

const tryAll = () => tryEveryRoute(gateway.admin, { connectionId: line.connectionId, userId: user.userId });
const untilItWorks = () =>
  eventually(async () => expect((await user.api.get('/v1/wa/connection/list')).status).toBe(200), {
    timeoutMs: 30_000,
  });

/** The session may have been closed meanwhile (after 30 s without its journal); it opens again by itself. */
async function untilItSends(): Promise<void> {
  await cluster.untilStatus(user.api, line.connectionId, 'open');
  const message = { connectionId: line.connectionId, content: 'after', wait: 'sent', timeoutMs: 20_000 };
  expect((await user.api.post('/v1/wa/message/send', message)).status).toBe(200);
}

test('without MongoDB every route is 503 with Retry-After within a few seconds, and comes back by itself (fault 15)', async () => {
  await cluster.mongo.kill();
  expect(unfitting(await tryAll(), 12_000, [503, 504])).toEqual([]);
  expect(unfitting(await tryAll(), 12_000)).toEqual([]);
  const anyone = createApi(String(gateway.url));
  expect((await anyone.get('/health/live')).status).toBe(200);
  expect((await anyone.get('/health/ready')).status).toBe(200);
  expect((await anyone.get('/metrics')).text).toContain('castellan_http_requests_total');
  await cluster.mongo.start();
  await untilItWorks();
  await untilItSends();
}, 120_000);

test('while MongoDB stands still nothing hangs', async () => {
  cluster.mongo.pause();
  expect(unfitting(await tryAll(), 20_000, [503, 504])).toEqual([]);
  expect(unfitting(await tryAll(), 12_000)).toEqual([]);
  cluster.mongo.resume();
  await untilItWorks();
  await untilItSends();
}, 120_000);

test('a MongoDB that is slow by 2 s is slow and nothing worse (fault 17)', async () => {
  const slow = await cluster.join(
    'slow',
    `gateway,${INNER_SERVICES}`,
    {},
    { wrapStore: (store) => slowStore(store, 2_000) },
  );
  const api = createApi(String(slow.url), user.key);
  const answers = await Promise.all([
    api.get('/v1/wa/connection/list'),
    api.get('/v1/wa/event/list'),
    api.get(`/v1/wa/message/list?connectionId=${line.connectionId}`),
    api.post(
      '/v1/wa/message/send',
      { connectionId: line.connectionId, content: 'slowly' },
      { 'idempotency-key': 'slow' },
    ),
    api.post('/v1/wa/webhook/create', { url: 'http://127.0.0.1:9/', eventTypes: ['call.received'] }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 202, 201]);
  await cluster.leave(slow);
}, 120_000);
