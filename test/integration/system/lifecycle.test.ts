import type { CastellanEvent } from '../../../lib/contracts/entities.ts';
import { eventually } from '../../helpers/eventually.ts';
import { httpReceiver } from '../../helpers/http-receiver.ts';
import { type Line, type PairedSystem, startPairedSystem } from '../../helpers/paired-system.ts';

/* What a user of the REST API goes through with one connection, from the first QR code to its deletion. */
let system: PairedSystem;
let line: Line;
let path: string;

beforeAll(async () => {
  system = await startPairedSystem({ allowPrivateTargets: true }, { seed: 'lifecycle' });
  line = await system.openLine('15554440000');
  path = `/v1/wa/connection/${line.connectionId}`;
});
afterAll(() => system.end());
afterEach(() => system.simulator.faults.clear());

const post = (verb: string) => system.api.post(`${path}/${verb}`, {});
const shown = async () => (await system.api.get(path)).body;
const send = async (more: object = {}, headers: Record<string, string> = {}) =>
  system.api.post('/v1/wa/message/send', { connectionId: line.connectionId, content: 'note', ...more }, headers);
const refusal = async () => {
  const { status, body } = await send();
  return [status, body.error.type];
};

const OF_A_CONNECTION = [
  'sessionKeys',
  'sessionJournal',
  'remoteAuths',
  'messages',
  'identities',
  'connectionHistory',
  'workers',
];

/** as WhatsApp has them: 0 is the phone */
async function linkedDevices(): Promise<number[]> {
  const answer = await fetch(`${system.simulator.controlUrl}/accounts/${line.phone.pn}`);
  const { devices } = (await answer.json()) as { devices: { device: number }[] };
  return devices.map(({ device }) => device).filter((device) => device !== 0);
}

async function events(type: string): Promise<CastellanEvent<Record<string, unknown>>[]> {
  const { body } = await system.api.get(`/v1/wa/event/list?connectionId=${line.connectionId}&types=${type}&limit=200`);
  return body.items;
}

test('an open one says who it is and where it runs', async () => {
  const { phone, connectionId } = line;
  expect(await shown()).toMatchObject({
    status: 'open',
    statusReason: null,
    me: { id: phone.jid, lid: phone.jid, pn: phone.pnJid },
    worker: { nodeId: expect.any(String), epoch: 1 },
    restrictions: [],
    degraded: false,
  });
  const auth = (await system.api.get(`${path}/auth`)).body;
  const authId = connectionId.replace('con_', 'aut_');
  expect(auth).toEqual({ authId, connectionId, authState: 'succeeded', method: 'qr', expiresAt: null });
  expect((await events('auth.qr'))[0]?.data.auth).toMatchObject({ authId, authState: 'ready', qr: expect.any(String) });
  expect((await events('auth.succeeded'))[0]?.data).toEqual({ auth });
});

test('every step of a message is an event, and the owner writes an epoch', async () => {
  const contact = system.simulator.devices.createContact({ pn: '15554441111' });
  contact.receiptMode = 'read';
  const { messageId, waMessageId } = (await send({ to: contact.pn })).body;
  const steps = await eventually(async () => {
    const mine = (await events('message.status')).filter(({ data }) => data.messageId === messageId);
    expect(mine.map(({ data }) => data.status)).toEqual(['queued', 'sending', 'sent', 'delivered', 'read']);
    return mine;
  });
  expect(steps.map(({ epoch }) => epoch)).toEqual([null, 1, 1, 1, 1]);
  expect(steps[1]?.data).toEqual({ messageId, waMessageId, status: 'sending', previousStatus: 'queued' });
  const sent = (await events('message.sent')).map(({ data }) => data.message as { messageId: string; source: string });
  expect(sent.find((message) => message.messageId === messageId)).toMatchObject({ source: 'api', status: 'sent' });
});

test('with wait "sent" it is 200 after the ack, 202 when the time is up, and a repeat answers the same', async () => {
  const done = await send({ wait: 'sent' });
  expect([done.status, ['sent', 'delivered', 'read'].includes(done.body.status)]).toEqual([200, true]);
  system.simulator.faults.set({ fault: { type: 'slow-ack', ms: 1_500 }, match: { tag: 'message' }, times: 1 });
  const key = { 'idempotency-key': 'slow' };
  const late = await send({ wait: 'sent', timeoutMs: 200 }, key);
  expect([late.status, late.body.status]).toEqual([202, 'queued']);
  const repeat = await send({ wait: 'sent', timeoutMs: 200 }, key);
  expect([repeat.status, repeat.body, repeat.headers['idempotency-replayed']]).toEqual([202, late.body, 'true']);
  await eventually(async () => {
    const { status } = (await system.api.get(`/v1/wa/message/${late.body.messageId}`)).body;
    expect(['sent', 'delivered', 'read']).toContain(status);
  });
});

test('stopped it takes nothing to send, started it opens with the next epoch and no new code', async () => {
  expect((await post('stop')).body).toMatchObject({ status: 'stopped', worker: null, desiredState: 'stopped' });
  expect(await refusal()).toEqual([409, 'WRONG_STATE']);
  expect((await post('restart')).status).toBe(409);
  await post('start');
  await system.untilStatus(line.connectionId, 'open');
  expect((await shown()).worker.epoch).toBe(2);
  expect((await post('restart')).body.status).not.toBe('open');
  await system.untilStatus(line.connectionId, 'open');
  expect(await events('auth.qr')).toHaveLength(1);
});

test('a logged out one is 410, also when it is stopped, and the next start pairs it anew', async () => {
  expect((await post('logout')).body).toMatchObject({ status: 'logged_out', worker: null });
  await eventually(async () => expect(await linkedDevices()).toEqual([]));
  expect(await refusal()).toEqual([410, 'LOGGED_OUT']);
  expect((await post('stop')).body).toMatchObject({ status: 'logged_out', desiredState: 'stopped' });
  expect(await refusal()).toEqual([410, 'LOGGED_OUT']);
  await post('start');
  await system.untilStatus(line.connectionId, 'awaiting_pairing');
  expect(await refusal()).toEqual([409, 'WRONG_STATE']);
});

test('a code is shown only while the socket that it belongs to is there', async () => {
  const { connectionId } = (await system.api.post('/v1/wa/connection/create', {})).body;
  const other = `/v1/wa/connection/${connectionId}`;
  const auth = async () => (await system.api.get(`${other}/auth`)).body;
  await system.untilStatus(connectionId, 'awaiting_pairing');
  const { qr } = await auth();
  system.simulator.faults.set({ fault: { type: 'http-status', status: 500 } });
  system.simulator.faults.set({ fault: { type: 'drop' } });
  await system.untilStatus(connectionId, 'reconnecting');
  expect(await auth()).toMatchObject({ authState: 'pending', expiresAt: null });
  expect((await system.api.get(`${other}/auth/qr.svg`)).status).toBe(409);
  system.simulator.faults.clear();
  await system.untilStatus(connectionId, 'awaiting_pairing');
  expect((await auth()).qr).not.toBe(qr);
  await system.api.post(`${other}/stop`, {});
  expect(await auth()).toMatchObject({ authState: 'expired' });
  expect((await auth()).qr).toBeUndefined();
});

test('it is paired anew by a code, and refuses another while the login works', async () => {
  const body = { phoneNumber: `+${line.phone.pn}` };
  const asked = await system.api.post(`${path}/auth/pairing-code`, body);
  expect([asked.status, asked.body]).toEqual([
    200,
    { pairingCode: expect.stringMatching(/^[A-Z0-9]{8}$/), expiresAt: expect.any(String) },
  ]);
  const auth = (await system.api.get(`${path}/auth`)).body;
  expect(auth).toMatchObject({ authState: 'ready', method: 'code', ...asked.body });
  expect((await events('auth.pairing_code')).at(-1)?.data).toEqual({ auth });
  await line.phone.enterPairingCode(asked.body.pairingCode, { timeoutMs: 10_000 });
  await system.untilStatus(line.connectionId, 'open');
  expect((await system.api.post(`${path}/auth/pairing-code`, body)).body.error.type).toBe('WRONG_STATE');
  expect((await send({ wait: 'sent' })).status).toBe(200);
});

test('the history tells all of it, newest first, and ends with null', async () => {
  const all: { status: string; previousStatus: string | null; at: string }[] = [];
  for (let after = ''; ; ) {
    const { items, next } = (await system.api.get(`${path}/history?limit=5${after}`)).body;
    all.push(...items);
    if (next === null) break;
    after = `&after=${next}`;
  }
  const inOrder = all.toReversed();
  expect(inOrder[0]).toMatchObject({ status: 'created', previousStatus: null });
  for (const [n, entry] of inOrder.entries()) {
    expect(entry.previousStatus).toBe(inOrder[n - 1]?.status ?? null);
    expect(entry.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }
  const told = (await events('connection.status')).map(({ data }) => data.status);
  expect(told).toEqual(inOrder.slice(1).map(({ status }) => status));
});

test('deleted it is gone, on the phone too, and what it needed with it; its last event is still delivered', async () => {
  const receiver = await httpReceiver();
  receiver.answer((res) => res.writeHead(receiver.received.length === 1 ? 500 : 200).end());
  const hook = { url: receiver.url, connectionId: line.connectionId, eventTypes: ['connection.status'] };
  expect((await system.api.post('/v1/wa/webhook/create', hook)).status).toBe(201);
  expect((await system.api.delete(path)).status).toBe(200);
  expect((await system.api.get(path)).status).toBe(404);
  expect(await refusal()).toEqual([404, 'NOT_FOUND']);
  await eventually(async () => expect(await linkedDevices()).toEqual([]));
  const { store } = system.castellan.runtime;
  await eventually(async () => {
    const { connectionId } = line;
    for (const name of ['connections', 'sessions'])
      expect([name, await store.collection(name).count({ _id: connectionId })]).toEqual([name, 0]);
    for (const name of OF_A_CONNECTION) {
      expect([name, await store.collection(name).count({ connectionId })]).toEqual([name, 0]);
    }
  });
  await eventually(() => expect(receiver.received).toHaveLength(2));
  const bodies = receiver.received.map(({ body }) => JSON.parse(body));
  expect(bodies).toMatchObject([{ data: { status: 'logged_out' } }, { eventId: bodies[0].eventId }]);
  await receiver.close();
});
