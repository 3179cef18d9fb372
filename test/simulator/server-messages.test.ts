import { proto } from '@whiskeysockets/baileys';
import { eventually } from '../helpers/eventually.ts';
import { SimulatedWorld } from '../helpers/simulated-world.ts';

describe('messages through the simulator', () => {
  let world: SimulatedWorld;
  let numbers = 0;

  const newPn = (): string => `1666${String(++numbers).padStart(7, '0')}`;
  const newContact = (devices = 1) => world.simulator.devices.createContact({ pn: newPn(), name: 'Bob', devices });

  beforeAll(async () => {
    world = await SimulatedWorld.start({ seed: 'messages' });
  });

  afterAll(() => world.close());

  it('carries a text to every device of a contact and to the own phone, and the receipts back', async () => {
    const { client, pn, phone } = await world.online();
    const contact = newContact(2);
    const sent = await client.sock.sendMessage(contact.pnJid, { text: 'hello' });
    const id = sent?.key.id ?? '';
    await client.waitAck(id);
    await contact.waitForMessage((entry) => entry.device === 0 && entry.text === 'hello');
    await contact.waitForMessage((entry) => entry.device === 1 && entry.text === 'hello');
    const copy = await phone.waitForMessage((entry) => entry.text === 'hello');
    expect(copy.fromMe).toBe(true);
    await eventually(() => expect(client.statusOf(id)).toBe(proto.WebMessageInfo.Status.DELIVERY_ACK));
    contact.markRead([id]);
    await eventually(() => expect(client.statusOf(id)).toBe(proto.WebMessageInfo.Status.READ));
    const record = world.simulator.witness.messages.get(id);
    expect(record).toMatchObject({ submitted: 1, acked: 1, nacked: 0 });
    expect(record?.receipts.map(({ type }) => type)).toContain('read');
    expect(record?.from.pn).toBe(pn);
  });

  it('carries texts of a contact to the client, in order, with the sender known by both addresses', async () => {
    const { client, pn } = await world.online();
    const contact = newContact();
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    for (const text of texts) await contact.sendText(pn, text);
    await client.waitText('text 19');
    expect(client.received.map(({ message }) => message?.conversation ?? message?.extendedTextMessage?.text)).toEqual(
      texts,
    );
    const [first] = client.received;
    expect([first?.key.remoteJid, first?.key.remoteJidAlt]).toEqual(expect.arrayContaining([contact.jid]));
    expect(first?.pushName).toBe('Bob');
    await contact.waitForReceipt(({ ids }) => ids.length > 0);
  });

  it('keeps what comes while the client is away and delivers it again until it is receipted', async () => {
    const { client, pn } = await world.online();
    const contact = newContact();
    client.kill();
    await eventually(() => expect(world.simulator.witness.sockets.list({ pn, open: true })).toHaveLength(0));
    for (let index = 0; index < 5; index++) await contact.sendText(pn, `away ${index}`);
    const address = { pn, lid: '', device: 1 };
    const { post } = world.simulator.server.world;
    await eventually(() => expect(post.mailbox(address).pendingCount).toBeGreaterThanOrEqual(5));
    await client.open();
    await client.waitText('away 4');
    expect(
      client.received.slice(-5).map(({ message }) => message?.extendedTextMessage?.text ?? message?.conversation),
    ).toEqual(Array.from({ length: 5 }, (_, index) => `away ${index}`));
    expect(client.upserts.at(-1)?.type).toBe('append');
    await eventually(() => expect(post.mailbox(address).pendingCount).toBe(0));
  });

  it('carries retry receipts to the exact device, and the resend back to the one that asked', async () => {
    const { client, pn } = await world.online();
    const contact = newContact();
    await client.sock.sendMessage(contact.pnJid, { text: 'first' });
    await contact.waitForMessage(({ text }) => text === 'first');
    await contact.loseSessions(pn);
    const sent = await client.sock.sendMessage(contact.pnJid, { text: 'unreadable at first' });
    await contact.waitForMessage(({ text }) => text === 'unreadable at first');
    expect(world.simulator.witness.messages.decryptFailures().some(({ messageId }) => messageId === sent?.key.id)).toBe(
      true,
    );
    expect(world.simulator.witness.messages.get(sent?.key.id ?? '')).toMatchObject({ submitted: 1 });
  });

  it('carries a message between two real clients both ways', async () => {
    const [one, two] = await Promise.all([world.online(), world.online()]);
    await one.client.sock.sendMessage(`${two.pn}@s.whatsapp.net`, { text: 'to two' });
    await two.client.waitText('to two');
    await two.client.sock.sendMessage(`${one.pn}@s.whatsapp.net`, { text: 'to one' });
    await one.client.waitText('to one');
    expect(world.simulator.witness.messages.inversions()).toEqual([]);
  });

  it('tells typing and presence to those who are there', async () => {
    const { client, pn } = await world.online();
    const contact = newContact();
    const presences: string[] = [];
    client.sock.ev.on('presence.update', ({ presences: seen }) => {
      for (const { lastKnownPresence } of Object.values(seen)) presences.push(lastKnownPresence);
    });
    await client.sock.presenceSubscribe(contact.pnJid);
    contact.signal.presence('available');
    await eventually(() => expect(presences).toContain('available'));
    await contact.signal.typing(pn);
    await eventually(() => expect(presences).toContain('composing'));
    await client.sock.sendPresenceUpdate('composing', contact.pnJid);
    await contact.signals.waitFor(({ tag }) => tag === 'chatstate');
  });

  it('tells a sender of a new device of its contact', async () => {
    const { client } = await world.online();
    const receiver = await world.online();
    const jid = `${receiver.pn}@s.whatsapp.net`;
    await client.sock.sendMessage(jid, { text: 'one device' });
    const second = world.client();
    second.connect();
    await receiver.phone.scanQr(await second.waitQr());
    await second.waitOpen();
    await client.sock.sendMessage(jid, { text: 'two devices' });
    await Promise.all([receiver.client.waitText('two devices'), second.waitText('two devices')]);
  });
});
