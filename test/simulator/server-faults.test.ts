import { eventually } from '../helpers/eventually.ts';
import { SimulatedWorld } from '../helpers/simulated-world.ts';

describe('faults of the simulator', () => {
  let world: SimulatedWorld;
  let numbers = 0;

  const faults = () => world.simulator.faults;
  const newContact = () => world.simulator.devices.createContact({ pn: `1888${String(++numbers).padStart(7, '0')}` });

  beforeAll(async () => {
    world = await SimulatedWorld.start({ seed: 'faults' });
  });

  afterEach(() => faults().clear());
  afterAll(() => world.close());

  it.each([401, 402, 403, 405, 406, 409, 411, 500, 503])('refuses a login with reason %i', async (reason) => {
    const { client, pn } = world.prepared();
    faults().set({ fault: { type: 'login-failure', reason, attributes: { expire: '600' } }, match: { pn } });
    client.connect();
    await client.waitEnd(reason);
    const error = client.states.at(-1)?.lastDisconnect?.error as { data?: Record<string, string> } | undefined;
    expect(error?.data).toMatchObject({ reason: String(reason), location: 'local', expire: '600' });
  });

  it('ends an open stream with a code, a conflict or a reset', async () => {
    const [one, two, three] = await Promise.all([world.online(), world.online(), world.online()]);
    faults().set({ fault: { type: 'stream-error', code: 503 }, match: { pn: one.pn } });
    faults().set({ fault: { type: 'conflict' }, match: { pn: two.pn } });
    faults().set({ fault: { type: 'drop' }, match: { pn: three.pn } });
    await one.client.waitEnd(503);
    await two.client.waitEnd(440);
    await eventually(() => expect(three.client.ends).toHaveLength(1));
    expect(faults().list()).toEqual([]);
  });

  it('strikes at the n-th stanza of a script', async () => {
    const { client, pn } = await world.online();
    const contact = newContact();
    faults().run([{ fault: { type: 'drop' }, on: 'stanza-in', match: { pn, tag: 'message' }, skip: 2, times: 1 }]);
    for (const text of ['one', 'two', 'three'])
      await client.sock.sendMessage(contact.pnJid, { text }).catch(() => undefined);
    await eventually(() => expect(client.ends).toHaveLength(1));
    await contact.waitForMessage(({ text }) => text === 'two');
    expect(contact.inbox.all.some(({ text }) => text === 'three')).toBe(false);
  });

  it('leaves a half-open connection open and silent', async () => {
    const { client, pn } = await world.online({ keepAliveIntervalMs: 500 });
    faults().set({ fault: { type: 'half-open' }, match: { pn } });
    const before = world.simulator.witness.sockets.list({ pn })[0]?.framesIn;
    await client.sock.sendPresenceUpdate('unavailable');
    await client.sock.sendPresenceUpdate('available');
    expect(client.ends).toEqual([]);
    const [socket] = world.simulator.witness.sockets.list({ pn });
    expect(socket?.framesIn).toBe(before);
    expect(socket?.closedAt).toBeUndefined();
  });

  it('refuses, answers with a status, or never shakes hands on the upgrade', async () => {
    const refused = world.prepared().client;
    faults().set({ fault: { type: 'refuse' }, times: 1 });
    refused.connect();
    await eventually(() => expect(refused.ends).toHaveLength(1));
    const unavailable = world.prepared().client;
    faults().set({ fault: { type: 'http-status', status: 503 }, times: 1 });
    const answered = new Promise<number>((resolve) => {
      unavailable
        .connect()
        .ws.on('unexpected-response', (_: unknown, response: { statusCode: number }) => resolve(response.statusCode));
    });
    expect(await answered).toBe(503);
    const hung = world.prepared({ connectTimeoutMs: 300 }).client;
    faults().set({ fault: { type: 'hang' }, times: 1 });
    hung.connect();
    await hung.waitEnd(408);
  });

  it('refuses, loses and delays acks of messages', async () => {
    const { client, pn } = await world.online();
    const contact = newContact();
    const send = async (text: string): Promise<string> =>
      (await client.sock.sendMessage(contact.pnJid, { text }))?.key.id ?? '';
    faults().run([
      { fault: { type: 'nack', code: 463 }, match: { pn }, times: 1 },
      { fault: { type: 'lose-ack' }, match: { pn }, times: 1 },
      { fault: { type: 'slow-ack', ms: 300 }, match: { pn }, times: 1 },
    ]);
    expect(await client.waitAck(await send('refused'))).toMatchObject({ error: '463' });
    const lost = await send('lost');
    const slow = await send('slow');
    await contact.waitForMessage(({ text }) => text === 'slow');
    expect(client.acks.some(({ id }) => id === slow)).toBe(false);
    await client.waitAck(slow);
    expect(client.acks.some(({ id }) => id === lost)).toBe(false);
    expect(contact.inbox.all.map(({ text }) => text)).toEqual(['lost', 'slow']);
    expect(world.simulator.witness.messages.get(lost)).toMatchObject({ submitted: 1, acked: 0 });
  });

  it('answers an iq with an error, or not at all', async () => {
    const { client, pn } = await world.online();
    faults().set({ fault: { type: 'iq-error', code: 429, text: 'rate-overlimit' }, match: { pn, xmlns: 'blocklist' } });
    await expect(client.sock.fetchBlocklist()).rejects.toThrow('rate-overlimit');
    faults().set({ fault: { type: 'iq-timeout' }, match: { pn, xmlns: 'w:profile:picture' } });
    await expect(client.sock.profilePictureUrl(`${pn}@s.whatsapp.net`, 'image', 200)).rejects.toThrow('Timed Out');
  });

  it('delivers twice, late and out of order', async () => {
    const { client, pn } = await world.online();
    const contact = newContact();
    await client.sock.sendMessage(contact.pnJid, { text: 'session' });
    await contact.waitForMessage(({ text }) => text === 'session');
    faults().set({ fault: { type: 'duplicate' }, match: { pn: contact.pn, tag: 'message' }, times: 1 });
    await client.sock.sendMessage(contact.pnJid, { text: 'twice' });
    await eventually(() => expect(contact.inbox.all.find(({ text }) => text === 'twice')?.count).toBe(2));
    faults().set({ fault: { type: 'reorder' }, match: { pn: contact.pn, tag: 'message' }, times: 1 });
    await client.sock.sendMessage(contact.pnJid, { text: 'second' });
    await client.sock.sendMessage(contact.pnJid, { text: 'first' });
    await contact.waitForMessage(({ text }) => text === 'second');
    expect(contact.inbox.all.slice(-2).map(({ text }) => text)).toEqual(['first', 'second']);
    expect(world.simulator.witness.messages.inversions()).toHaveLength(1);
    expect(pn).toBeTruthy();
  });

  it('never ends the flush of what waited', async () => {
    const { client, pn } = world.prepared();
    const contact = newContact();
    await contact.sendText(pn, 'waited');
    faults().set({ fault: { type: 'endless-offline' }, match: { pn } });
    client.connect();
    await client.waitOpen();
    await eventually(() => expect(world.simulator.witness.messages.counts().delivered).toBeGreaterThan(0));
    expect(client.states.some(({ receivedPendingNotifications }) => receivedPendingNotifications)).toBe(false);
  });

  it('draws the same from the same seed', async () => {
    const draws = async (seed: string): Promise<number[]> => {
      const other = await SimulatedWorld.start({ seed });
      const values = Array.from({ length: 5 }, () => other.simulator.server.world.random.next());
      await other.close();
      return values;
    };
    expect(await draws('a')).toEqual(await draws('a'));
    expect(await draws('a')).not.toEqual(await draws('b'));
  });
});
