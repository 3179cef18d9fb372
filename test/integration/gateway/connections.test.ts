import type { RemoteAuthDoc } from '../../../lib/storage/collections.ts';
import { startTestCastellan, type TestCastellan } from '../../helpers/castellan.ts';
import { eventually } from '../../helpers/eventually.ts';

let castellan: TestCastellan;
let user: Awaited<ReturnType<TestCastellan['newUser']>>;
beforeAll(async () => {
  castellan = await startTestCastellan();
  user = await castellan.newUser('keeper');
});
afterAll(() => castellan.end());

const create = (body: object) => user.api.post('/v1/wa/connection/create', body);

async function held(): Promise<string> {
  return (await create({ autoStart: false })).body.connectionId;
}

/** The row that the session layer writes when WhatsApp gave a code. */
async function showCode(connectionId: string, method: 'qr' | 'code', code: string, validForMs = 60_000): Promise<void> {
  const { store, vault, clock } = castellan.runtime;
  const _id = connectionId.replace('con_', 'aut_');
  const now = clock.now();
  await store.collection<RemoteAuthDoc>('remoteAuths').insertOne({
    _id,
    connectionId,
    userId: user.userId,
    authState: 'ready',
    method,
    code: vault.seal(code, _id),
    expiresAt: now + validForMs,
    epoch: 1,
    updatedAt: now,
  });
}

describe('create', () => {
  test('answers the fields of the specification, for its own user', async () => {
    const deviceInfo = { os: 'Linux', browser: 'Chrome', version: '120' };
    const body = { userId: user.userId, deviceInfo, name: 'Support', metadata: { plan: 'free' }, autoStart: false };
    const answer = await create(body);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      connectionId: expect.stringMatching(/^con_/),
      userId: user.userId,
      status: 'created',
      desiredState: 'stopped',
      deviceInfo,
      name: 'Support',
      metadata: { plan: 'free' },
      me: null,
    });
    expect((await user.api.get(`/v1/wa/connection/${answer.body.connectionId}`)).body).toEqual(answer.body);
  });

  test('starts connecting at once, shows in words why it cannot, and goes on trying and serving', async () => {
    const created = await create({});
    expect(['connecting', 'reconnecting']).toContain(created.body.status);
    const { connectionId } = created.body;
    const shown = await eventually(async () => {
      const { body } = await user.api.get(`/v1/wa/connection/${connectionId}`);
      expect(body).toMatchObject({ status: 'reconnecting', worker: { epoch: 1 }, desiredState: 'running' });
      return body;
    });
    expect(shown.statusReason).toBe('WhatsApp cannot be reached: 127.0.0.1:9 refuses the connection.');
    expect((await user.api.get(`/v1/wa/connection/${connectionId}/auth`)).body).toMatchObject({ authState: 'pending' });
    expect((await user.api.get('/health/ready')).status).toBe(200);
    await user.api.delete(`/v1/wa/connection/${connectionId}`);
  });

  test('an admin names the user', async () => {
    const without = await castellan.admin.post('/v1/wa/connection/create', { autoStart: false });
    expect([without.status, without.body.error.details]).toEqual([400, { fields: ['userId'] }]);
    const unknown = await castellan.admin.post('/v1/wa/connection/create', { userId: 'nobody', autoStart: false });
    expect(unknown.status).toBe(404);
    const body = { userId: user.userId, autoStart: false };
    expect((await castellan.admin.post('/v1/wa/connection/create', body)).body.userId).toBe(user.userId);
  });

  test.each([
    ['too much metadata', { metadata: { big: 'x'.repeat(20_000) } }],
    ['metadata that is no object', { metadata: ['x'] }],
    ['an unknown pairing', { pairing: { method: 'nfc' } }],
    ['a pairing code without a number', { pairing: { method: 'code' } }],
    ['a number with letters', { pairing: { method: 'code', phoneNumber: '1555ABC' } }],
    ['an unknown device field', { deviceInfo: { os: 'x', root: true } }],
    ['a name with a line break', { name: 'a\nb' }],
  ])('%s is refused', async (_, fields) => {
    const answer = await create({ autoStart: false, ...fields });
    expect([answer.status, answer.body.error.type]).toEqual([400, 'VALIDATION_ERROR']);
  });
});

describe('steering', () => {
  test('one that nobody runs is stopped by the request itself, with history and event', async () => {
    const connectionId = await held();
    const answer = await user.api.post(`/v1/wa/connection/${connectionId}/stop`, {});
    expect(answer.body).toMatchObject({ status: 'stopped', desiredState: 'stopped' });
    const history = (await user.api.get(`/v1/wa/connection/${connectionId}/history`)).body.items;
    expect(history.map(({ status }: { status: string }) => status)).toEqual(['stopped', 'created']);
    const events = (await user.api.get(`/v1/wa/event/list?connectionId=${connectionId}`)).body.items;
    expect(events).toMatchObject([
      { type: 'connection.status', data: { status: 'stopped', previousStatus: 'created' } },
    ]);
    const again = await user.api.post(`/v1/wa/connection/${connectionId}/stop`, {});
    expect(again.body.status).toBe('stopped');
    expect((await user.api.get(`/v1/wa/connection/${connectionId}/history`)).body.items).toHaveLength(2);
  });

  test.each(['logged_out', 'banned', 'locked', 'needs_pairing', 'quarantined'])(
    'stopping one that is %s keeps a status that says more',
    async (status) => {
      const connectionId = await held();
      await castellan.runtime.store.collection('connections').updateOne({ _id: connectionId }, { $set: { status } });
      const answer = await user.api.post(`/v1/wa/connection/${connectionId}/stop`, {});
      expect(answer.body).toMatchObject({ status, desiredState: 'stopped' });
    },
  );

  test('start and stop move a live one there and back', async () => {
    const connectionId = await held();
    const path = `/v1/wa/connection/${connectionId}`;
    expect((await user.api.post(`${path}/start`, {})).body.desiredState).toBe('running');
    await eventually(async () => expect((await user.api.get(path)).body.worker).not.toBeNull());
    await user.api.post(`${path}/stop`, {});
    await eventually(async () =>
      expect((await user.api.get(path)).body).toMatchObject({ status: 'stopped', worker: null }),
    );
  });

  test('a restart of one that shall not run is the wrong state', async () => {
    const answer = await user.api.post(`/v1/wa/connection/${await held()}/restart`, {});
    expect([answer.status, answer.body.error.type]).toEqual([409, 'WRONG_STATE']);
  });

  test('a deleted one is gone everywhere', async () => {
    const connectionId = await held();
    const path = `/v1/wa/connection/${connectionId}`;
    expect((await user.api.delete(path)).status).toBe(200);
    for (const answer of [user.api.get(path), user.api.post(`${path}/start`, {}), user.api.delete(path)]) {
      expect((await answer).status).toBe(404);
    }
    const listed = (await user.api.get('/v1/wa/connection/list?limit=200')).body.items;
    expect(listed.map((row: { connectionId: string }) => row.connectionId)).not.toContain(connectionId);
    const left = castellan.runtime.store.collection('connections');
    await eventually(async () => expect(await left.count({ _id: connectionId })).toBe(0));
  });

  test('lists filter by status and by user', async () => {
    const { api, userId } = await castellan.newUser('lister');
    const { connectionId } = (await api.post('/v1/wa/connection/create', { autoStart: false })).body;
    expect((await api.get('/v1/wa/connection/list?status=created')).body.items).toHaveLength(1);
    expect((await api.get('/v1/wa/connection/list?status=open')).body.items).toEqual([]);
    const seen = (await castellan.admin.get(`/v1/wa/connection/list?userId=${userId}`)).body.items;
    expect(seen).toMatchObject([{ connectionId, userId }]);
  });
});

describe('the login', () => {
  test('shows the QR string and its pictures while it can be scanned', async () => {
    const connectionId = await held();
    const path = `/v1/wa/connection/${connectionId}/auth`;
    expect((await user.api.get(path)).body).toMatchObject({ authState: 'pending', method: 'qr', expiresAt: null });
    expect((await user.api.get(`${path}/qr.png`)).body.error.type).toBe('WRONG_STATE');
    await showCode(connectionId, 'qr', '2@ref,noise,identity,adv');
    const auth = (await user.api.get(path)).body;
    expect(auth).toMatchObject({ authState: 'ready', qr: '2@ref,noise,identity,adv', connectionId });
    const png = await fetch(`${castellan.url}${path}/qr.png?size=200`, { headers: { 'x-api-key': user.key } });
    const bytes = Buffer.from(await png.arrayBuffer());
    expect([png.headers.get('content-type'), bytes.subarray(1, 4).toString()]).toEqual(['image/png', 'PNG']);
    expect(bytes.readUInt32BE(16)).toBe(200);
    const svg = await user.api.get(`${path}/qr.svg`);
    expect([svg.headers['content-type'], svg.text.startsWith('<svg')]).toEqual(['image/svg+xml; charset=utf-8', true]);
    const text = await user.api.get(`${path}/qr.txt`);
    expect(text.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(text.text).toMatch(/[▀▄█]/);
    expect((await user.api.get(`${path}/qr.png?size=9999`)).status).toBe(400);
  });

  test('does not show a code that has run out', async () => {
    const connectionId = await held();
    await showCode(connectionId, 'qr', '2@old', -1);
    const auth = await user.api.get(`/v1/wa/connection/${connectionId}/auth`);
    expect(auth.body).toMatchObject({ authState: 'expired' });
    expect(auth.text).not.toContain('2@old');
    expect((await user.api.get(`/v1/wa/connection/${connectionId}/auth/qr.svg`)).status).toBe(409);
  });

  test('shows a pairing code as one', async () => {
    const connectionId = await held();
    await showCode(connectionId, 'code', 'ABCD1234');
    const auth = (await user.api.get(`/v1/wa/connection/${connectionId}/auth`)).body;
    expect(auth).toMatchObject({ method: 'code', pairingCode: 'ABCD1234' });
    expect(auth.qr).toBeUndefined();
    expect((await user.api.get(`/v1/wa/connection/${connectionId}/auth/qr.png`)).status).toBe(409);
  });
});
