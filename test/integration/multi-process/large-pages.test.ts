import { newId } from '../../../lib/ids.ts';
import { INNER_SERVICES, startTestCluster, type TestCluster, type TestUser } from '../../helpers/test-cluster.ts';

const TEXT = 'x'.repeat(60_000);
const COUNT = 24;

let cluster: TestCluster;
let user: TestUser;
let connectionId: string;

/** 1.4 MB of messages and as much of events: more than the bus carries in one message. */
beforeAll(async () => {
  cluster = await startTestCluster();
  const gateway = await cluster.join('gateway', 'gateway');
  await cluster.join('inner', INNER_SERVICES);
  user = await cluster.newUser('ada');
  ({ connectionId } = (await user.api.post('/v1/wa/connection/create', {})).body);
  const me = { id: '1@lid', lid: '1@lid', pn: '15550009999@s.whatsapp.net', name: null };
  const { store, events } = gateway.runtime;
  await store.collection('connections').updateOne({ _id: connectionId }, { $set: { status: 'open', me } });
  const numbers = Array.from({ length: COUNT }, (_, n) => n);
  const send = (n: number) =>
    user.api.post('/v1/wa/message/send', { connectionId, content: TEXT, to: `${15550001000 + n}` });
  for (const { status } of await Promise.all(numbers.map(send))) expect(status).toBe(202);
  await events.append(
    numbers.map(() => ({
      type: 'message.received',
      userId: user.userId,
      connectionId,
      epoch: null,
      data: { message: { messageId: newId('message'), content: { type: 'text', text: TEXT } } },
    })),
  );
}, 120_000);
afterAll(() => cluster?.end());

/** Pages through a list to its end. @returns the sizes of its pages, and what `idOf` finds in all of them */
async function pagesOf(path: string, idOf: string) {
  const sizes: number[] = [];
  const ids: string[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const { status, body } = await user.api.get(`${path}&limit=200${after && `&after=${after}`}`);
    expect(status).toBe(200);
    sizes.push(body.items.length);
    ids.push(...body.items.map((item: Record<string, string>) => item[idOf]));
    after = body.next;
  }
  return { sizes, ids };
}

test.each([
  [`/v1/wa/message/list?connectionId=`, 'messageId'],
  [`/v1/wa/chat/list?connectionId=`, 'chatId'],
  [`/v1/wa/event/list?types=message.received&connectionId=`, 'eventId'],
])('%s answers what the bus can carry, and says where the rest begins', async (path, idOf) => {
  const { sizes, ids } = await pagesOf(path + connectionId, idOf);
  expect(ids).toHaveLength(COUNT);
  expect(new Set(ids).size).toBe(COUNT);
  expect(sizes.length).toBeGreaterThan(1);
  expect(Math.min(...sizes)).toBeGreaterThan(0);
});
