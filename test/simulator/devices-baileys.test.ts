import { proto } from '@whiskeysockets/baileys';
import type { Contact, Phone } from '../../simulator/devices/index.ts';
import { type Simulator, startSimulator } from '../../simulator/index.ts';
import type { DecryptReport } from '../../simulator/ports.ts';
import { BaileysClient, textOf } from '../helpers/baileys-client.ts';
import { eventually } from '../helpers/eventually.ts';
import { quietConsole } from './devices-quiet.ts';

interface Account {
  phone: Phone;
  client: BaileysClient;
}

let simulator: Simulator;
let quiet: ReturnType<typeof quietConsole>;
let ada: Account;
let ben: Account;
let carl: Contact;
let dora: Contact;
const clients: BaileysClient[] = [];
const reports: DecryptReport[] = [];

async function pair(pn: string, name: string): Promise<Account> {
  const phone = simulator.devices.createPhone({ pn, name });
  await phone.addHistory({
    with: carl.pn,
    name: 'Carl',
    messages: [{ text: 'long ago', id: 'OLDEST' }, { text: 'ago' }, { text: 'lately', fromMe: true }],
  });
  phone.history.recentPerChat = 2;
  const client = new BaileysClient(simulator);
  clients.push(client);
  client.connect();
  await phone.scanQr(await client.waitQr());
  await client.waitOpen();
  return { phone, client };
}

const failures = (): DecryptReport[] => reports.filter(({ outcome }) => outcome === 'failed');

const send = async (client: BaileysClient, to: string, text: string): Promise<string> => {
  const sent = await client.sock.sendMessage(to, { text });
  const id = sent?.key.id ?? '';
  await client.waitAck(id);
  return id;
};

beforeAll(async () => {
  quiet = quietConsole();
  simulator = await startSimulator({ seed: 'devices' });
  const report = simulator.server.report.bind(simulator.server);
  simulator.server.report = (entry) => {
    reports.push(entry);
    report(entry);
  };
  carl = simulator.devices.createContact({ pn: '15551110001', name: 'Carl', devices: 3 });
  dora = simulator.devices.createContact({ pn: '15551110002', name: 'Dora' });
  [ada, ben] = await Promise.all([pair('15552220001', 'Ada'), pair('15552220002', 'Ben')]);
});

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await simulator.close();
  quiet.restore();
});

test('a first login brings app-state keys and the history of the phone', async () => {
  for (const { client, phone } of [ada, ben]) {
    await eventually(() => expect(client.creds.accountSyncCounter).toBeGreaterThan(0));
    await eventually(() => expect(client.creds.processedHistoryMessages).toHaveLength(3));
    expect(client.creds.myAppStateKeyId).toBe(Buffer.from([0, 0, 0, 0, 0, 1]).toString('base64'));
    await phone.waitForReceipt(({ type }) => type === 'hist_sync');
    expect(phone.problems).toEqual([]);
  }
});

test('the phone answers for older history and for a message that could not be read', async () => {
  const { client, phone } = ada;
  const syncs: string[] = [];
  const { ON_DEMAND } = proto.HistorySync.HistorySyncType;
  client.sock.ev.on('messaging-history.set', ({ messages, syncType }) => {
    if (syncType === ON_DEMAND) syncs.push(...messages.map(({ key }) => key.id ?? ''));
  });
  const [oldest, next] = phone.history.messagesOf(carl.jid).map(({ key }) => key);
  if (!oldest || !next) throw new Error('unreachable');
  await client.sock.fetchMessageHistory(10, next, Date.now());
  await eventually(() => expect(syncs).toEqual([oldest.id]));
  await client.sock.requestPlaceholderResend(oldest);
  await client.waitText('long ago');
}, 20_000);

test('texts both ways are read once by every device, in order', async () => {
  const numbers = Array.from({ length: 20 }, (_, index) => `${index}`);
  const outbound = (async () => {
    for (const text of numbers) await send(ada.client, carl.jid, `out ${text}`);
  })();
  const inbound = (async () => {
    for (const text of numbers) await carl.sendText(ada.phone.pn, `in ${text}`, { device: Number(text) % 2 });
  })();
  await Promise.all([outbound, inbound]);
  await eventually(() => {
    for (const device of [0, 1, 2]) {
      const read = carl.inbox.all.filter(
        (entry) => entry.device === device && !entry.fromMe && entry.from === ada.phone.jid,
      );
      expect(read.map(({ text, count }) => [text, count])).toEqual(numbers.map((text) => [`out ${text}`, 1]));
    }
    const copies = ada.phone.inbox.all.filter(({ fromMe, chat }) => fromMe && chat === carl.jid);
    expect(copies.map(({ text }) => text)).toEqual(numbers.map((text) => `out ${text}`));
    const got = ada.client.received.map(textOf).filter((text) => text?.startsWith('in '));
    expect(got).toEqual(numbers.map((text) => `in ${text}`));
  });
  expect(failures()).toEqual([]);
});

test('two real clients talk to each other, addressed by phone number', async () => {
  await send(ada.client, `${ben.phone.pn}@s.whatsapp.net`, 'hello ben');
  const got = await ben.client.waitText('hello ben');
  expect([got.key.remoteJid, got.key.remoteJidAlt]).toEqual(expect.arrayContaining([ada.phone.jid]));
  await send(ben.client, ada.phone.jid, 'hello ada');
  await ada.client.waitText('hello ada');
  await ben.phone.waitForMessage(({ text, fromMe }) => text === 'hello ada' && fromMe);
  expect(failures()).toEqual([]);
});

test('a phone that writes shows its companion a copy', async () => {
  await ada.phone.sendText(carl.jid, 'from the phone');
  const copy = await ada.client.waitText('from the phone');
  expect(copy.key).toMatchObject({ fromMe: true, remoteJid: carl.jid });
  await carl.waitForMessage(({ text, device }) => text === 'from the phone' && device === 2);
});

test('receipts, typing, reactions, edits and revokes reach a real client', async () => {
  const id = await send(ada.client, dora.jid, 'to be read');
  await dora.waitForMessage((entry) => entry.id === id);
  dora.markRead([id]);
  const { READ } = proto.WebMessageInfo.Status;
  await eventually(() =>
    expect(ada.client.updates.some(({ key, update }) => key.id === id && update.status === READ)).toBe(true),
  );
  const typing = new Promise<string>((resolve) =>
    ada.client.sock.ev.on('presence.update', (update) => resolve(update.id)),
  );
  await dora.signal.typing(ada.phone.jid);
  expect(await typing).toBe(dora.jid);
  await dora.react(ada.phone.jid, id, 'ok');
  await eventually(() => {
    const reaction = ada.client.received.find(({ message }) => message?.reactionMessage)?.message?.reactionMessage;
    expect(reaction).toMatchObject({ text: 'ok', key: { id, fromMe: true } });
  });
  const draft = await dora.sendText(ada.phone.jid, 'draft');
  await ada.client.waitText('draft');
  await dora.edit(ada.phone.jid, draft.id, 'final');
  await eventually(() => {
    const edit = ada.client.updates.find(({ key }) => key.id === draft.id)?.update.message?.editedMessage?.message;
    expect(edit?.conversation).toBe('final');
  });
  await dora.revoke(ada.phone.jid, draft.id);
  const { REVOKE } = proto.WebMessageInfo.StubType;
  await eventually(() => expect(ada.client.updates.some(({ update }) => update.messageStubType === REVOKE)).toBe(true));
});

test('a group of real clients and contacts reads everything once', async () => {
  const group = await carl.groups.create('Four', [ada.phone.pn, ben.phone.pn, dora.pn]);
  const said: string[] = [];
  for (const round of [1, 2, 3]) {
    await carl.sendText(group, `carl ${round}`, { device: round - 1 });
    await dora.sendText(group, `dora ${round}`);
    await send(ada.client, group, `ada ${round}`);
    await send(ben.client, group, `ben ${round}`);
    said.push(...['carl', 'dora', 'ada', 'ben'].map((who) => `${who} ${round}`));
  }
  await eventually(() => {
    for (const contact of [carl, dora, ada.phone, ben.phone]) {
      for (const { address } of contact.devices) {
        const read = contact.inbox.all.filter((entry) => entry.chat === group && entry.device === address.device);
        const author = `${contact.name?.toLowerCase()} `;
        const others = said.filter((text) => !text.startsWith(author));
        const heard = read.filter(({ fromMe }) => !fromMe);
        expect(heard.map(({ text }) => text).sort()).toEqual(others.toSorted());
        expect(read.every(({ count }) => count === 1)).toBe(true);
      }
    }
    for (const { client, phone } of [ada, ben]) {
      const heard = client.received.filter(({ key }) => key.remoteJid === group && !key.fromMe).map(textOf);
      const author = `${phone.name?.toLowerCase()} `;
      expect(heard.filter(Boolean).sort()).toEqual(said.filter((text) => !text.startsWith(author)).sort());
    }
  });
  expect(failures()).toEqual([]);
});

test('what a contact cannot read, a real client sends again', async () => {
  const already = reports.length;
  await send(ada.client, dora.jid, 'before');
  await dora.waitForMessage(({ text }) => text === 'before');
  await dora.loseSessions(ada.phone.pn);
  const id = await send(ada.client, dora.jid, 'unreadable at first');
  const entry = await dora.waitForMessage((message) => message.id === id);
  expect(entry).toMatchObject({ text: 'unreadable at first', count: 1 });
  expect(reports.slice(already).map(({ outcome }) => outcome)).toContain('retry-sent');
  const next = await send(ada.client, dora.jid, 'fine again');
  await dora.waitForMessage((message) => message.id === next);
});

test('what a real client cannot read, a contact sends again', async () => {
  await dora.sendText(ben.phone.pn, 'before');
  await ben.client.waitText('before');
  await dora.spoilSessions(ben.phone.pn);
  await dora.sendText(ben.phone.pn, 'unreadable at first');
  const got = await ben.client.waitText('unreadable at first');
  expect(dora.receipts.all.some(({ type, ids }) => type === 'retry' && ids.includes(got.key.id ?? ''))).toBe(true);
  await ben.phone.waitForMessage(({ text }) => text === 'unreadable at first');
  await dora.sendText(ben.phone.pn, 'fine again');
  await ben.client.waitText('fine again');
  expect(ben.client.received.filter((message) => textOf(message) === 'unreadable at first')).toHaveLength(1);
});

test('the same over a group, both ways', async () => {
  const group = await dora.groups.create('Repair', [ada.phone.pn]);
  await send(ada.client, group, 'one');
  await dora.waitForMessage(({ text, chat }) => text === 'one' && chat === group);
  await dora.loseSessions(ada.phone.pn);
  dora.device().core.senderKeys.forgetOthers(group);
  const id = await send(ada.client, group, 'two');
  await dora.waitForMessage((entry) => entry.id === id);
  await dora.sendText(group, 'three');
  await ada.client.waitText('three');
});
