import { createApi } from '../../helpers/api.ts';
import { eventually } from '../../helpers/eventually.ts';
import { tryEveryRoute, unfitting } from '../../helpers/every-route.ts';
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
  cluster = await startTestCluster();
  gateway = await cluster.join('gateway', 'gateway');
  await cluster.join('inner', INNER_SERVICES);
  await cluster.join('node', 'session-node');
  user = await cluster.newUser('ada');
  line = await cluster.openLine(user.api, '15550001111');
}, 120_000);
afterAll(() => cluster?.end());

const tryAll = () => tryEveryRoute(gateway.admin, { connectionId: line.connectionId, userId: user.userId });
const send = (content: string) =>
  user.api.post('/v1/wa/message/send', { connectionId: line.connectionId, content, wait: 'sent', timeoutMs: 20_000 });
/** Each process comes back by itself, within half a second or so of the others: a call in between is a 503. */
const untilItWorks = () =>
  eventually(
    async () => {
      expect(await user.api.get('/v1/wa/connection/list')).toMatchObject({ status: 200 });
      expect(await send('after')).toMatchObject({ status: 200 });
    },
    { timeoutMs: 30_000 },
  );

test('without NATS everything that needs another process is 503 with Retry-After at once, and comes back by itself (fault 8)', async () => {
  await cluster.nats.kill();
  await eventually(async () => expect((await gateway.admin.get('/v1/wa/user/list')).status).toBe(503));
  expect(unfitting(await tryAll(), 5_000)).toEqual([]);
  const anyone = createApi(String(gateway.url));
  expect((await anyone.get('/health/live')).status).toBe(200);
  expect((await anyone.get('/health/ready')).status).toBe(200);
  expect((await anyone.get('/metrics')).status).toBe(200);
  /* the bus forgets who is there after 6 s; then nobody is found instead of nobody reached */
  await eventually(async () => expect(unfitting(await tryAll(), 5_000)).toEqual([]), { timeoutMs: 5_000 });
  await cluster.nats.start();
  await untilItWorks();
}, 120_000);

test('a request that comes while some are back on the bus and others are not ends at once too', async () => {
  for (let round = 0; round < 4; round += 1) {
    await cluster.nats.kill();
    await eventually(async () => expect((await gateway.admin.get('/v1/wa/user/list')).status).toBe(503));
    await cluster.nats.start();
    await eventually(
      async () => {
        const startedAt = performance.now();
        const { status } = await user.api.get('/v1/wa/connection/list');
        expect(performance.now() - startedAt).toBeLessThan(5_000);
        expect(status).toBe(200);
      },
      { timeoutMs: 20_000 },
    );
  }
}, 120_000);

test('while NATS stands still nothing hangs: 503, or 504 where something may have been begun (fault 9)', async () => {
  cluster.nats.pause();
  expect(unfitting(await tryAll(), 15_000, [503, 504])).toEqual([]);
  /* by now it is taken for gone */
  expect(unfitting(await tryAll(), 5_000)).toEqual([]);
  cluster.nats.resume();
  await untilItWorks();
}, 120_000);

test('the session has lived through all of it', async () => {
  const { body } = await user.api.get(`/v1/wa/connection/${line.connectionId}/history`);
  expect(body.items[0].status).toBe('open');
  expect(body.items.filter(({ status }: { status: string }) => status === 'reconnecting')).toEqual([]);
});
