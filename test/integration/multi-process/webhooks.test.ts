import type { ServerResponse } from 'node:http';
import type { DeliveryDoc } from '../../../lib/storage/collections.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type HttpReceiver, httpReceiver } from '../../helpers/http-receiver.ts';
import {
  type Member,
  type MemberProcess,
  startTestCluster,
  type TestCluster,
  type TestUser,
} from '../../helpers/test-cluster.ts';

/**
 * Two processes deliver webhooks. The first one leads, as a process of its own that can be killed; the second one is
 * here, and is the one that this gateway's requests reach.
 */
let cluster: TestCluster;
let gateway: Member;
let leader: MemberProcess;
let receiver: HttpReceiver;
let user: TestUser;

const LEAD = 'lead:webhooks';
const deliveries = () => gateway.runtime.store.collection<DeliveryDoc>('deliveries');
const leads = async () => (await gateway.runtime.locks.holderOf(LEAD))?.split(':')[0];

beforeAll(async () => {
  [cluster, receiver] = await Promise.all([startTestCluster(), httpReceiver()]);
  await cluster.join('users', 'users');
  leader = await cluster.spawn('webhooks-1', 'webhooks');
  gateway = await cluster.join('gateway', 'gateway,webhooks');
  user = await cluster.newUser('ada');
  expect(await leads()).toBe('webhooks-1');
}, 120_000);
afterAll(async () => {
  await cluster?.end();
  await receiver?.close();
});

async function newWebhook(path: string): Promise<string> {
  const hook = { url: new URL(path, receiver.url).href, eventTypes: ['group.updated'] };
  return (await user.api.post('/v1/wa/webhook/create', hook)).body.webhookId;
}

const append = (numbers: readonly number[]) =>
  gateway.runtime.events.append(
    numbers.map((n) => ({ type: 'group.updated', userId: user.userId, connectionId: null, epoch: null, data: { n } })),
  );

const numbersAt = (path: string) =>
  receiver.received.filter(({ url }) => url === path).map(({ body }) => JSON.parse(body).data.n as number);

test('a webhook that is made beside the leader is delivered to by the leader', async () => {
  const webhookId = await newWebhook('/made');
  await append([1]);
  await eventually(() => expect(numbersAt('/made')).toEqual([1]), { timeoutMs: 15_000 });
  await eventually(async () =>
    expect(await deliveries().find({ webhookId })).toMatchObject([{ status: 'succeeded', tries: 1 }]),
  );
});

test('a test and a redelivery that reach the other process are carried out', async () => {
  const webhookId = await newWebhook('/again');
  const tested = await user.api.post(`/v1/wa/webhook/${webhookId}/test`, {});
  expect(tested.body).toMatchObject({ status: 'succeeded', attempts: [{ statusCode: 200 }] });
  await append([2]);
  await eventually(() => expect(numbersAt('/again')).toContain(2), { timeoutMs: 15_000 });
  const [delivery] = await eventually(async () => {
    const ended = await deliveries().find({ webhookId, eventType: 'group.updated', status: 'succeeded' });
    expect(ended).toHaveLength(1);
    return ended;
  });
  const again = await user.api.post(`/v1/wa/webhook/${webhookId}/deliveries/${delivery?._id}/redeliver`, {});
  expect(again.status).toBe(202);
  await eventually(() => expect(numbersAt('/again').filter((n) => n === 2)).toHaveLength(2), { timeoutMs: 15_000 });
});

test('while the leader is killed in the middle nothing is lost, and no event has two deliveries', async () => {
  const webhookId = await newWebhook('/many');
  const held: ServerResponse[] = [];
  let holding = true;
  receiver.answer((res, { url }) => {
    if (holding && url === '/many' && numbersAt('/many').length > 3) held.push(res);
    else res.end('ok');
  });
  const numbers = Array.from({ length: 24 }, (_, n) => n);
  await append(numbers.slice(0, 12));
  await eventually(() => expect(held.length).toBeGreaterThan(0), { timeoutMs: 30_000 });
  await leader.end('SIGKILL');
  holding = false;
  for (const res of held) res.destroy();
  await append(numbers.slice(12));
  await eventually(async () => expect(await leads()).toBe('gateway'), { timeoutMs: 20_000 });
  /* attempts that the dead process had begun are made again when their lease is over */
  const rows = await eventually(
    async () => {
      const all = await deliveries().find({ webhookId });
      expect(all.map(({ status }) => status)).toEqual(numbers.map(() => 'succeeded'));
      return all;
    },
    { timeoutMs: 80_000, intervalMs: 250 },
  );
  expect(new Set(numbersAt('/many'))).toEqual(new Set(numbers));
  expect(rows).toHaveLength(numbers.length);
  expect(new Set(rows.map(({ eventId }) => eventId)).size).toBe(numbers.length);
  /* at most what was under way is repeated */
  expect(numbersAt('/many').length - numbers.length).toBeLessThanOrEqual(held.length + 4);
}, 120_000);
