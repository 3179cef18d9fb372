import { createApi } from '../../helpers/api.ts';
import { openEventSource } from '../../helpers/event-source.ts';
import { eventually } from '../../helpers/eventually.ts';
import {
  INNER_SERVICES,
  type Member,
  startTestCluster,
  type TestCluster,
  type TestUser,
} from '../../helpers/test-cluster.ts';

/** Two gateways before two processes of everything else. Nothing here needs WhatsApp, so that no session-node runs. */
let cluster: TestCluster;
let gateways: [Member, Member];
let user: TestUser;
let connectionId: string;

beforeAll(async () => {
  cluster = await startTestCluster();
  gateways = [await cluster.join('gateway-1', 'gateway'), await cluster.join('gateway-2', 'gateway')];
  await cluster.join('inner-1', INNER_SERVICES);
  await cluster.join('inner-2', INNER_SERVICES);
  user = await cluster.newUser('ada');
  ({ connectionId } = (await user.api.post('/v1/wa/connection/create', {})).body);
  await seemOpen();
}, 120_000);
afterAll(() => cluster?.end());

/** What a session-node would have written, so that sends are taken. */
async function seemOpen(): Promise<void> {
  const me = { id: '1@lid', lid: '1@lid', pn: '15550009999@s.whatsapp.net', name: null };
  const rows = gateways[0].runtime.store.collection('connections');
  await rows.updateOne({ _id: connectionId }, { $set: { status: 'open', me } });
}

const urlOf = (at: 0 | 1) => String(gateways[at].url);
const apiAt = (at: 0 | 1, key = user.key) => createApi(urlOf(at), key);

test('1,000 identical POSTs over both gateways are one job (fault 30)', async () => {
  const message = { connectionId, content: 'once', to: '15550001111' };
  const both = [apiAt(0), apiAt(1)] as const;
  const post = (n: number) =>
    both[n % 2 === 0 ? 0 : 1].post('/v1/wa/message/send', message, { 'idempotency-key': 'k-1' });
  const answers = await Promise.all(Array.from({ length: 1_000 }, (_, n) => post(n)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  expect(new Set(answers.map(({ body }) => body.messageId)).size).toBe(1);
  expect(answers.filter(({ headers }) => headers['idempotency-replayed'] !== 'true')).toHaveLength(1);
  expect(await gateways[0].runtime.store.collection('jobs').count({ connectionId })).toBe(1);
});

test('the same key with another body is refused at the other gateway (fault 31)', async () => {
  const send = (at: 0 | 1, content: string) =>
    apiAt(at).post('/v1/wa/message/send', { connectionId, content }, { 'idempotency-key': 'k-2' });
  expect((await send(0, 'one')).status).toBe(202);
  const { status, body } = await send(1, 'two');
  expect([status, body.error.type]).toEqual([409, 'IDEMPOTENCY_MISMATCH']);
});

test('a job that was accepted through one gateway is cancelled through the other', async () => {
  const sendAt = new Date(Date.now() + 3_600_000).toISOString();
  const { jobId, messageId } = (await apiAt(0).post('/v1/wa/message/send', { connectionId, content: 'later', sendAt }))
    .body;
  expect((await apiAt(1).post(`/v1/wa/job/${jobId}/cancel`, {})).body.status).toBe('cancelled');
  expect((await apiAt(0).post(`/v1/wa/job/${jobId}/cancel`, {})).status).toBe(409);
  expect((await apiAt(0).get(`/v1/wa/message/${messageId}`)).body.status).toBe('cancelled');
});

test('a revoked key is 401 at every gateway within 5 s (fault 46)', async () => {
  const { key, keyId } = (await gateways[0].admin.post(`/v1/wa/user/${user.userId}/key/create`, {})).body;
  const statuses = () =>
    Promise.all([0, 1].map(async (at) => (await apiAt(at as 0 | 1, key).get('/v1/wa/connection/list')).status));
  expect(await statuses()).toEqual([200, 200]);
  await gateways[0].admin.delete(`/v1/wa/user/${user.userId}/key/${keyId}`);
  await eventually(async () => expect(await statuses()).toEqual([401, 401]), { timeoutMs: 5_000 });
});

test('a session of the dashboard is valid at the other gateway, and ends at both', async () => {
  const signedIn = await createApi(urlOf(0)).post('/dashboard/sign-in', { key: user.key });
  const cookie = String([signedIn.headers['set-cookie']].flat()[0]).split(';')[0] as string;
  const list = async (at: 0 | 1) =>
    (await createApi(urlOf(at)).send('/v1/wa/connection/list', { headers: { cookie } })).status;
  expect([await list(0), await list(1)]).toEqual([200, 200]);
  const signOut = { method: 'POST', json: {}, headers: { cookie, origin: urlOf(1) } };
  expect((await createApi(urlOf(1)).send('/dashboard/sign-out', signOut)).status).toBe(200);
  await eventually(async () => expect([await list(0), await list(1)]).toEqual([401, 401]), { timeoutMs: 5_000 });
});

test('a stream goes on at the other gateway where it broke off, without a gap or a repeat', async () => {
  const { events } = gateways[0].runtime;
  const append = (n: number) =>
    events.append([{ type: 'webhook.disabled', userId: user.userId, connectionId: null, epoch: null, data: { n } }]);
  const numbers = ({ frames }: Awaited<ReturnType<typeof openEventSource>>) => frames.map(({ data }) => data.data.n);
  const query = '?types=webhook.disabled';
  const first = await openEventSource(urlOf(0), user.key, { query });
  for (let n = 0; n < 20; n++) await append(n);
  await eventually(() => expect(numbers(first).length).toBeGreaterThan(5));
  first.close();
  const seen = numbers(first);
  const second = await openEventSource(urlOf(1), user.key, { query, lastEventId: first.lastId() });
  for (let n = 20; n < 30; n++) await append(n);
  await eventually(() => expect([...seen, ...numbers(second)]).toEqual(Array.from({ length: 30 }, (_, n) => n)));
  second.close();
});

test('each gateway shows its own metrics and readiness, and the same connections', async () => {
  for (let n = 0; n < 3; n++) await apiAt(1).get('/v1/wa/job/list');
  const counted = /castellan_http_requests_total\{method="GET",route="\/v1\/wa\/job\/list",status="200"\} 3/;
  const [one, two] = await Promise.all(gateways.map(async ({ admin }) => (await admin.get('/metrics')).text));
  expect(one).not.toMatch(counted);
  expect(two).toMatch(counted);
  for (const text of [one, two]) expect(text).toContain('castellan_connections{status="open"} 1');
});

test('without any session-node, what needs one is a 503 with Retry-After, the rest works', async () => {
  const { api } = user;
  for (const [action, body] of [
    ['logout', {}],
    ['auth/pairing-code', { phoneNumber: '15550001111' }],
  ] as const) {
    const { status, headers } = await api.post(`/v1/wa/connection/${connectionId}/${action}`, body);
    expect([action, status, headers['retry-after']]).toEqual([action, 503, '1']);
  }
  expect((await gateways[0].admin.get('/v1/wa/cluster/nodes')).status).toBe(503);
  expect((await api.get('/v1/wa/connection/list')).body.items).toHaveLength(1);
});
