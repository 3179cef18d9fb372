import { openEventSource } from '../../helpers/event-source.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type HttpReceiver, httpReceiver } from '../../helpers/http-receiver.ts';
import {
  type Line,
  type Member,
  startTestCluster,
  type TestCluster,
  type TestUser,
} from '../../helpers/test-cluster.ts';

/** Nobody looks by himself: what is seen was told. */
const NEVER_LOOKS = { eventLookIntervalMs: 3_600_000 };

let cluster: TestCluster;
let gateway: Member;
let receiver: HttpReceiver;
let user: TestUser;
let line: Line;

beforeAll(async () => {
  [cluster, receiver] = await Promise.all([startTestCluster(), httpReceiver()]);
  gateway = await cluster.join('gateway', 'gateway', {}, NEVER_LOOKS);
  await cluster.join('messages', 'users,connections,messages', {}, NEVER_LOOKS);
  await cluster.join('webhooks', 'webhooks,scheduler', {}, NEVER_LOOKS);
  await cluster.join('node', 'session-node', {}, NEVER_LOOKS);
  user = await cluster.newUser('ada');
  line = await cluster.openLine(user.api, '15550001111');
}, 120_000);
afterAll(async () => {
  await cluster?.end();
  await receiver?.close();
});

const send = (content: string, more: object = {}) =>
  user.api.post('/v1/wa/message/send', { connectionId: line.connectionId, content, ...more });

test('a stream at the gateway is told of what other processes commit', async () => {
  const source = await openEventSource(String(gateway.url), user.key);
  const { messageId } = (await send('hello')).body;
  await eventually(() => {
    const statuses = source.frames
      .filter(({ data }) => data.data.messageId === messageId)
      .map(({ data }) => data.data.status);
    expect(statuses.slice(0, 3)).toEqual(['queued', 'sending', 'sent']);
  });
  source.close();
});

test('who waits for a message to be sent is told by the node that sends it', async () => {
  const answer = await send('hello', { wait: 'sent', timeoutMs: 20_000 });
  expect([answer.status, answer.body.status]).toEqual([200, 'sent']);
});

test('a webhook is told, too', async () => {
  const hook = { url: receiver.url, eventTypes: ['message.status'] };
  expect((await user.api.post('/v1/wa/webhook/create', hook)).status).toBe(201);
  const { messageId } = (await send('hello')).body;
  await eventually(() => {
    const events = receiver.received.map(({ body }) => JSON.parse(body).data);
    expect(events.filter((data) => data.messageId === messageId).map(({ status }) => status)).toContain('sent');
  });
});
