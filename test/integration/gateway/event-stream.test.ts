import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { startTestCastellan, type TestCastellan } from '../../helpers/castellan.ts';
import { eventually } from '../../helpers/eventually.ts';

let castellan: TestCastellan;
let user: Awaited<ReturnType<TestCastellan['newUser']>>;
const open: ClientRequest[] = [];

beforeAll(async () => {
  castellan = await startTestCastellan();
  user = await castellan.newUser('listener');
});
afterEach(() => {
  for (const req of open.splice(0)) req.destroy();
});
afterAll(() => castellan.end());

interface Frame {
  id: string;
  event: string;
  data: { eventId: string; data: { n: number }; userId: string };
}

interface Stream {
  status: number;
  headers: IncomingMessage['headers'];
  text(): string;
  frames(): Frame[];
  ended: Promise<void>;
  close(): void;
  res: IncomingMessage;
}

function follow(query = '', headers: Record<string, string> = {}, key = user.key): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const url = `${castellan.url}/v1/wa/event/stream${query}`;
    const req = request(url, { headers: { 'x-api-key': key, ...headers } }, (res) => {
      let text = '';
      res.on('data', (chunk) => {
        text += chunk;
      });
      const ended = new Promise<void>((done) => res.once('close', done));
      res.on('error', () => undefined);
      const frames = () => text.split('\n\n').flatMap(parseFrame);
      const status = res.statusCode ?? 0;
      resolve({ status, headers: res.headers, text: () => text, frames, ended, close: () => req.destroy(), res });
    });
    open.push(req);
    req.on('error', reject);
    req.end();
  });
}

function parseFrame(block: string): Frame[] {
  const lines = Object.fromEntries(block.split('\n').map((line) => [line.split(': ')[0], line.replace(/^\w+: /, '')]));
  return lines.data === undefined ? [] : [{ id: lines.id, event: lines.event, data: JSON.parse(lines.data) } as Frame];
}

async function log(userId: string, ...numbers: number[]): Promise<void> {
  const facts = numbers.map((n) => ({
    type: 'presence.updated' as const,
    userId,
    connectionId: null,
    epoch: null,
    data: { n },
  }));
  await castellan.runtime.events.append(facts);
}

const numbersOf = (stream: Stream) => stream.frames().map(({ data }) => data.data.n);

test('shows what happens from now on, to its owner only, as the list shows it', async () => {
  await log(user.userId, 1);
  const stream = await follow();
  expect([stream.status, stream.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
  await log('somebody-else', 2);
  await log(user.userId, 3, 4);
  await eventually(() => expect(numbersOf(stream)).toEqual([3, 4]));
  const [frame] = stream.frames();
  expect(frame?.event).toBe('presence.updated');
  const listed = (await user.api.get('/v1/wa/event/list?types=presence.updated&limit=200')).body.items;
  expect(listed).toContainEqual(frame?.data);
});

test('continues after Last-Event-ID without a gap or a repeat', async () => {
  const first = await follow();
  await log(user.userId, 10, 11);
  await eventually(() => expect(numbersOf(first)).toEqual([10, 11]));
  const last = String(first.frames()[0]?.id);
  first.close();
  await log(user.userId, 12);
  const second = await follow('', { 'last-event-id': last });
  await eventually(() => expect(numbersOf(second)).toEqual([11, 12]));
  const third = await follow(`?after=${last}`);
  await eventually(() => expect(numbersOf(third)).toEqual([11, 12]));
});

test('filters by type', async () => {
  const stream = await follow('?types=call.received,message.sent');
  await log(user.userId, 20);
  await castellan.runtime.events.append([
    { type: 'call.received', userId: user.userId, connectionId: null, epoch: null, data: { n: 21 } },
  ]);
  await eventually(() => expect(numbersOf(stream)).toEqual([21]));
});

test('a client that does not read holds nothing up and loses nothing', async () => {
  const stuck = await follow();
  stuck.res.pause();
  const swift = await follow();
  const numbers = Array.from({ length: 3_000 }, (_, n) => 1_000 + n);
  await log(user.userId, ...numbers);
  await eventually(() => expect(numbersOf(swift)).toHaveLength(3_000));
  stuck.res.resume();
  await eventually(() => expect(numbersOf(stuck)).toEqual(numbers));
});

test.each([
  ['a cursor of nobody', '?after=bm9wZQ', 400],
  ['an unknown type', '?types=no.such', 400],
  ['a connection that is not there', '?connectionId=con_01ARZ3NDEKTSV4RRFFQ69G5FAV', 404],
])('%s is refused before the stream begins', async (_, query, status) => {
  const stream = await follow(query);
  expect(stream.status).toBe(status);
  await stream.ended;
});

test('listeners that left leave nothing behind', async () => {
  const before = castellan.broker.getLocalService('gateway');
  expect(before).toBeDefined();
  const streams = await Promise.all(Array.from({ length: 20 }, () => follow()));
  for (const { close } of streams) close();
  await Promise.all(streams.map(({ ended }) => ended));
  const other = await follow();
  await log(user.userId, 30);
  await eventually(() => expect(numbersOf(other)).toEqual([30]));
});

test('a stop ends the streams at once instead of waiting for them', async () => {
  const other = await startTestCastellan();
  const { key } = await other.newUser('short');
  const res = await new Promise<IncomingMessage>((resolve, reject) => {
    const req = request(`${other.url}/v1/wa/event/stream`, { headers: { 'x-api-key': key } }, resolve);
    req.on('error', reject).end();
  });
  const ended = new Promise<void>((done) => res.resume().once('end', done));
  const startedAt = performance.now();
  await Promise.all([other.end(), ended]);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
