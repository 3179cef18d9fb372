import { SimulatedWorld } from '../helpers/simulated-world.ts';

interface Answer {
  status: number;
  body: Record<string, unknown> & { error?: { type: string; message: string } };
}

describe("the simulator's control API", () => {
  let world: SimulatedWorld;

  const call = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(`${world.simulator.controlUrl}${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  };

  beforeAll(async () => {
    world = await SimulatedWorld.start({ seed: 'control' });
  });

  afterAll(() => world.close());

  it('pairs a client and exchanges messages by HTTP alone', async () => {
    expect((await call('POST', '/phones', { pn: '15551110001', name: 'Ada' })).status).toBe(200);
    expect((await call('POST', '/contacts', { pn: '15551110002', devices: 2 })).status).toBe(200);
    const client = world.client();
    client.connect();
    const scanned = await call('POST', '/phones/15551110001/scan', { qr: await client.waitQr() });
    expect(scanned.body).toMatchObject({ device: { pn: '15551110001', device: 1 } });
    await client.waitOpen();
    await client.sock.sendMessage('15551110002@s.whatsapp.net', { text: 'by client' });
    const inbox = await call('GET', '/accounts/15551110002/inbox?text=by%20client&device=0&waitMs=5000');
    expect(inbox.body.messages).toMatchObject([{ text: 'by client', fromPn: '15551110001@s.whatsapp.net', count: 1 }]);
    const sent = await call('POST', '/accounts/15551110002/messages', { to: '15551110001', text: 'by contact' });
    await client.waitText('by contact');
    const witnessed = await call('GET', `/witness/messages/${sent.body.id}`);
    expect(witnessed.body).toMatchObject({ submitted: 1, from: { pn: '15551110002' } });
    const account = await call('GET', '/accounts/15551110001');
    expect(account.body).toMatchObject({ kind: 'phone', devices: [{ device: 0 }, { device: 1, connected: true }] });
    expect((await call('DELETE', '/phones/15551110001/companions/1')).body).toEqual({ removed: 1 });
    await client.waitEnd(401);
  });

  it('pre-pairs accounts in bulk, whose credentials log in', async () => {
    const { body } = await call('POST', '/accounts/prepaired', { count: 5, phones: 'offline' });
    const accounts = body.accounts as { creds: unknown; keys: Record<string, Record<string, unknown>> }[];
    expect(accounts).toHaveLength(5);
    const client = world.client({ auth: accounts[4] });
    await client.open();
  });

  it('sets, lists and clears faults', async () => {
    const script = [
      { fault: { type: 'nack', code: 463 }, match: { pn: '15551110009' }, times: 1 },
      { fault: { type: 'hang' }, afterMs: 60_000 },
    ];
    expect((await call('POST', '/faults', script)).body.faults).toHaveLength(2);
    const { body } = await call('GET', '/faults');
    expect(body.faults).toMatchObject([{ fault: { type: 'nack' }, struck: 0 }, { fault: { type: 'hang' } }]);
    const [{ id } = { id: '' }] = body.faults as { id: string }[];
    expect((await call('DELETE', `/faults/${id}`)).body).toEqual({ cleared: 1 });
    expect((await call('DELETE', '/faults')).body).toEqual({ cleared: 1 });
  });

  it.each([
    ['GET', '/nowhere', undefined, 404, 'NOT_FOUND'],
    ['PUT', '/health', undefined, 405, 'METHOD_NOT_ALLOWED'],
    ['POST', '/phones', '{', 400, 'INVALID'],
    ['POST', '/phones', [], 400, 'INVALID'],
    ['POST', '/phones', { pn: '+1555' }, 400, 'INVALID'],
    ['POST', '/phones', { pn: '15551110042', extra: 1 }, 400, 'INVALID'],
    ['POST', '/phones', { pn: '15551110042', name: 7 }, 400, 'INVALID'],
    ['GET', '/accounts/15550009999', undefined, 404, 'NOT_FOUND'],
    ['GET', '/accounts/%E0%A4%A', undefined, 404, 'NOT_FOUND'],
    ['POST', '/phones/15550009999/scan', { qr: 'x' }, 404, 'NOT_FOUND'],
    ['POST', '/accounts/prepaired', { count: 0 }, 400, 'INVALID'],
    ['POST', '/faults', { fault: { type: 'earthquake' } }, 400, 'INVALID'],
    ['POST', '/faults', { fault: { type: '__proto__' } }, 400, 'INVALID'],
    ['POST', '/faults', { fault: { type: 'nack' } }, 400, 'INVALID'],
    ['GET', '/witness/stanzas?limit=x', undefined, 400, 'INVALID'],
    ['GET', '/witness/messages/none', undefined, 404, 'NOT_FOUND'],
  ])('answers %s %s %j with %i', async (method, path, body, status, type) => {
    const answer = await call(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.body.error?.type).toBe(type);
  });

  it('refuses a second phone of the same number, and browsers', async () => {
    await call('POST', '/phones', { pn: '15551110050' });
    expect(await call('POST', '/phones', { pn: '15551110050' })).toMatchObject({ status: 409 });
    expect((await call('GET', '/health', undefined, { origin: 'http://evil.example' })).status).toBe(403);
  });

  it('serves the root key and the certificate of the media host', async () => {
    expect((await call('GET', '/info')).body.rootPublicKey).toMatch(/^[0-9a-f]{64}$/);
    const certificate = await fetch(`${world.simulator.controlUrl}/media-certificate`);
    expect(await certificate.text()).toContain('BEGIN CERTIFICATE');
  });
});
