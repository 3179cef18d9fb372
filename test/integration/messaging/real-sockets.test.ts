import type { Message } from '../../../lib/contracts/entities.ts';
import { createMessaging, type Messaging } from '../../../lib/messaging/messaging.ts';
import type { Contact } from '../../../simulator/devices/contact.ts';
import type { PreparedAccount } from '../../../simulator/devices/prepare.ts';
import { type Simulator, startSimulator } from '../../../simulator/index.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type SessionNode, startSessionNode, TENANT } from '../../helpers/session-node.ts';

const CALLER = { userId: TENANT, role: 'user', keyId: 'key_t' } as const;

/* Real store, real Baileys, real Signal keys on both sides; only WhatsApp itself is simulated. */
describe('messages over real sockets', () => {
  let simulator: Simulator;
  let node: SessionNode;
  let messaging: Messaging;
  let account: PreparedAccount;
  let bob: Contact;
  let connectionId: string;
  let next = 0;

  beforeAll(async () => {
    simulator = await startSimulator({ seed: 'messages' });
    node = await startSessionNode({ simulator });
    messaging = createMessaging(node.runtime);
    account = simulator.devices.prepare(1)[0] as PreparedAccount;
    connectionId = await node.addPaired(account);
    await node.untilStatus(connectionId, 'open');
  });
  beforeEach(() => {
    next += 1;
    bob = simulator.devices.createContact({ pn: `1555888000${next}`, name: 'Bob', devices: 2 });
  });
  afterEach(() => simulator.faults.clear());
  afterAll(async () => {
    await node.stop();
    await simulator.close();
  });

  const send = async (content: string, to: string, more: object = {}) => {
    const wakeOwner = () => void node.manager.wake(connectionId);
    return (await messaging.send(CALLER, { connectionId, content, to, ...more }, { wakeOwner })).message;
  };
  const sendAndWait = (content: string, to: string) => send(content, to, { wait: 'sent' });
  const withStatus = (messageId: string, status: Message['status']) =>
    eventually(async () => expect((await messaging.get(CALLER, messageId)).status).toBe(status));
  const inChat = async () =>
    (await messaging.list(CALLER, { connectionId, chatId: bob.pn, limit: 200 })).items.reverse();
  const textsOf = (messages: Message[]) =>
    messages.map(({ content }) => (content.type === 'text' ? content.text : content));
  const eventsOf = async (type: string) => (await node.events(connectionId)).filter((event) => event.type === type);

  it('sends to a number, and follows it to delivered and read', async () => {
    const message = await sendAndWait('hello Bob', bob.pn);
    expect(message.status).not.toBe('queued');
    const received = await bob.waitForMessage(({ text }) => text === 'hello Bob');
    expect(received.id).toBe(message.waMessageId);
    await withStatus(message.messageId, 'delivered');
    bob.markRead([message.waMessageId]);
    await withStatus(message.messageId, 'read');
  });

  it('receives what a contact writes, in the chat that the number was given', async () => {
    const sent = await sendAndWait('hello', bob.pn);
    await bob.sendText(account.pn, 'hello yourself');
    const messages = await eventually(async () => {
      const all = await inChat();
      expect(all).toHaveLength(2);
      return all;
    });
    expect(messages[1]).toMatchObject({
      direction: 'inbound',
      chatId: sent.chatId,
      from: { lid: bob.jid, pn: bob.pnJid, name: 'Bob' },
      content: { type: 'text', text: 'hello yourself' },
    });
    expect((await eventsOf('message.received')).at(-1)?.data).toEqual({ message: messages[1] });
  });

  it('shows what the own phone sends as outbound', async () => {
    await account.phone.sendText(bob.pn, 'from the phone');
    await eventually(async () =>
      expect(await inChat()).toMatchObject([
        { direction: 'outbound', source: 'phone', content: { text: 'from the phone' }, to: { lid: bob.jid } },
      ]),
    );
  });

  it('sends to the own chat when nobody is named, and the own phone reads it', async () => {
    const wakeOwner = () => void node.manager.wake(connectionId);
    const params = { connectionId, content: 'note to self', wait: 'sent' } as const;
    expect(await messaging.send(CALLER, params, { wakeOwner })).toMatchObject({ sent: true });
    await account.phone.waitForMessage(({ text }) => text === 'note to self');
  });

  it('tells of edits, reactions and revocations', async () => {
    const { id } = await bob.sendText(account.pn, 'helo');
    const [message] = await eventually(async () => {
      const all = await inChat();
      expect(all).toHaveLength(1);
      return all;
    });
    await bob.edit(account.pn, id, 'hello');
    await bob.react(account.pn, id, '👍');
    await bob.revoke(account.pn, id);
    await eventually(async () => expect(await eventsOf('message.revoked')).toHaveLength(1));
    const facts = [...(await eventsOf('message.edited')), ...(await eventsOf('message.reaction'))];
    expect(facts.map(({ data }) => data)).toMatchObject([
      { messageId: message?.messageId, content: { type: 'text', text: 'hello' } },
      { messageId: message?.messageId, content: { type: 'reaction', emoji: '👍' } },
    ]);
    expect(textsOf(await inChat())).toEqual(['hello']);
  });

  it('fails for a number that is not on WhatsApp', async () => {
    await expect(sendAndWait('anybody?', '19990000000000')).rejects.toMatchObject({
      type: 'NOT_ON_WHATSAPP',
      code: 422,
    });
  });

  it('carries traffic both ways at once: everything once, in order, readable', async () => {
    const count = 40;
    const numbers = Array.from({ length: count }, (_, n) => `${n}`);
    const outbound = (async () => {
      for (const n of numbers) await send(`out ${n}`, bob.pn);
    })();
    for (const n of numbers) await bob.sendText(account.pn, `in ${n}`);
    await outbound;
    await eventually(
      async () => {
        const messages = await inChat();
        expect(textsOf(messages.filter(({ direction }) => direction === 'inbound'))).toEqual(
          numbers.map((n) => `in ${n}`),
        );
        const out = messages.filter(({ direction }) => direction === 'outbound');
        expect(out.map(({ status }) => status)).toEqual(numbers.map(() => 'delivered'));
      },
      { timeoutMs: 20_000 },
    );
    const read = bob.inbox.all.filter(({ device, text }) => device === 0 && text?.startsWith('out'));
    expect(read.map(({ text }) => text)).toEqual(numbers.map((n) => `out ${n}`));
    expect(read.every((entry) => entry.count === 1)).toBe(true);
    expect(simulator.witness.messages.decryptFailures()).toEqual([]);
  });

  it('loses nothing when the process is killed between acceptance and ack', async () => {
    simulator.faults.set({ fault: { type: 'lose-ack' }, match: { pn: account.pn } });
    const message = await send('survivor', bob.pn);
    await bob.waitForMessage(({ text }) => text === 'survivor');
    simulator.faults.clear();
    await node.restart('killed');
    messaging = createMessaging(node.runtime);
    await node.untilStatus(connectionId, 'open');
    await withStatus(message.messageId, 'delivered');
    await eventually(async () =>
      expect(await messaging.jobGet(CALLER, message.jobId ?? '')).toMatchObject({ status: 'completed' }),
    );
    expect(new Set(bob.inbox.all.filter(({ text }) => text === 'survivor').map(({ id }) => id))).toEqual(
      new Set([message.waMessageId]),
    );
  });

  it('says so when WhatsApp forbids new chats, and goes on in known ones', async () => {
    const friend = bob;
    await sendAndWait('we know each other', friend.pn);
    const stranger = simulator.devices.createContact({ pn: '15558889999', name: 'Eve' });
    simulator.faults.set({ fault: { type: 'nack', code: 463 }, match: { pn: account.pn }, times: 1 });
    await expect(sendAndWait('hello stranger', stranger.pn)).rejects.toMatchObject({
      type: 'REJECTED_BY_WHATSAPP',
      data: { waCode: 463 },
    });
    await eventually(async () => expect((await node.row(connectionId)).restrictions).toEqual(['new_chats']));
    const waiting = await send('hello again', stranger.pn);
    expect(await sendAndWait('still here', friend.pn)).toMatchObject({ error: null });
    expect(await messaging.get(CALLER, waiting.messageId)).toMatchObject({ status: 'queued' });
    expect((await node.row(connectionId)).status).toBe('open');
  });
});
