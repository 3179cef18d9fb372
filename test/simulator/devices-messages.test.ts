import type { BinaryNode } from '@whiskeysockets/baileys';
import { createDevices, type Devices } from '../../simulator/devices/index.ts';
import type { DecryptReport } from '../../simulator/ports.ts';
import { eventually } from '../helpers/eventually.ts';
import { TinyRelay } from './devices-relay.ts';

let relay: TinyRelay;
let devices: Devices;
let reports: DecryptReport[];
const files = new Map<string, Uint8Array>();

beforeEach(() => {
  relay = new TinyRelay();
  reports = [];
  devices = createDevices(relay, {
    seed: 'devices-messages',
    report: (report) => reports.push(report),
    mediaUpload: async (encrypted) => {
      const directPath = `/${files.size}`;
      files.set(directPath, encrypted);
      return { directPath, url: `https://localhost${directPath}` };
    },
    mediaDownload: async (directPath) => files.get(directPath) ?? new Uint8Array(),
  });
});

afterEach(() => devices.close());

const outcomes = (outcome: DecryptReport['outcome']): DecryptReport[] =>
  reports.filter((report) => report.outcome === outcome);

test('every device of the recipient and every other device of the sender reads a text once', async () => {
  const alice = devices.createContact({ pn: '15550000001', devices: 2 });
  const bob = devices.createContact({ pn: '15550000002', devices: 3 });
  const { id } = await alice.sendText(bob.pn, 'hello');
  await eventually(() => {
    expect(bob.inbox.byId(id).map(({ device, text, count }) => [device, text, count])).toEqual([
      [0, 'hello', 1],
      [1, 'hello', 1],
      [2, 'hello', 1],
    ]);
    expect(alice.inbox.byId(id)).toMatchObject([{ device: 1, fromMe: true, chat: bob.jid, text: 'hello' }]);
  });
  const reply = await bob.sendText(alice.pnJid, 'and back', { device: 2 });
  await alice.waitForMessage((entry) => entry.id === reply.id && entry.device === 0 && entry.fromDevice === 2);
  await alice.waitForReceipt((receipt) => receipt.ids.includes(id) && receipt.type === 'delivered');
  expect(outcomes('failed')).toEqual([]);
  expect([...alice.problems, ...bob.problems]).toEqual([]);
});

test('keeps order over many messages both ways at once', async () => {
  const alice = devices.createContact({ pn: '15550000001' });
  const bob = devices.createContact({ pn: '15550000002', devices: 2 });
  const numbers = Array.from({ length: 100 }, (_, index) => `${index}`);
  await Promise.all(numbers.flatMap((text) => [alice.sendText(bob.jid, text), bob.sendText(alice.jid, text)]));
  await eventually(() => {
    expect(alice.inbox.all.filter(({ fromMe }) => !fromMe).map(({ text }) => text)).toEqual(numbers);
    for (const device of [0, 1]) {
      const read = bob.inbox.all.filter((entry) => entry.device === device && !entry.fromMe);
      expect(read.map(({ text }) => text)).toEqual(numbers);
    }
  });
  expect(outcomes('failed')).toEqual([]);
});

test('a redelivered ciphertext is counted and receipted, not shown twice', async () => {
  const alice = devices.createContact({ pn: '15550000001' });
  const bob = devices.createContact({ pn: '15550000002' });
  relay.tamper = (stanza, to) => {
    if (stanza.tag === 'message') relay.device(to).endpoint?.deliver(stanza);
    return stanza;
  };
  const { id } = await alice.sendText(bob.jid, 'twice');
  await bob.waitForMessage((entry) => entry.id === id);
  await eventually(() => expect(bob.inbox.byId(id)).toMatchObject([{ count: 2 }]));
  expect(outcomes('duplicate')).toHaveLength(1);
  await eventually(() => expect(alice.receipts.all.filter(({ ids }) => ids.includes(id))).toHaveLength(2));
});

test('what cannot be decrypted is asked for again and arrives', async () => {
  const alice = devices.createContact({ pn: '15550000001', devices: 2 });
  const bob = devices.createContact({ pn: '15550000002', devices: 2 });
  await alice.sendText(bob.jid, 'first', { device: 1 });
  await bob.waitForMessage(({ text, device }) => text === 'first' && device === 1);
  bob.device(1).core.sessions.forget(alice.device(1).core.jid);
  const { id } = await alice.sendText(bob.jid, 'second', { device: 1 });
  await bob.waitForMessage((entry) => entry.id === id && entry.device === 1);
  expect(outcomes('retry-sent')).toMatchObject([{ stanzaId: id }]);
  expect(bob.inbox.byId(id).map(({ count }) => count)).toEqual([1, 1]);
});

test.each(['lose', 'spoil'] as const)('a session that one side %ss is repaired both ways', async (how) => {
  const alice = devices.createContact({ pn: '15550000001', devices: 2 });
  const bob = devices.createContact({ pn: '15550000002', devices: 2 });
  await alice.sendText(bob.jid, 'there');
  await bob.sendText(alice.jid, 'back');
  await alice.waitForMessage(({ text, device }) => text === 'back' && device === 0);
  if (how === 'lose') await bob.loseSessions(alice.pn);
  else await alice.spoilSessions(bob.pn);
  const { id } = await alice.sendText(bob.jid, 'again');
  await eventually(() =>
    expect(
      bob.inbox
        .byId(id)
        .map(({ device }) => device)
        .sort(),
    ).toEqual([0, 1]),
  );
  const next = await alice.sendText(bob.jid, 'and on');
  await eventually(() => expect(bob.inbox.byId(next.id)).toHaveLength(2));
  expect(outcomes('retry-sent').length).toBeGreaterThan(0);
  expect(outcomes('retry-sent').every(({ stanzaId }) => stanzaId === id)).toBe(true);
});

test('asks at most five times', async () => {
  const alice = devices.createContact({ pn: '15550000001' });
  const bob = devices.createContact({ pn: '15550000002' });
  relay.tamper = (stanza) => {
    if (stanza.tag !== 'message' || stanza.attrs.sender_pn !== alice.pnJid) return stanza;
    const [enc] = stanza.content as { content: Uint8Array }[];
    return {
      ...stanza,
      content: [{ tag: 'enc', attrs: { v: '2', type: 'msg' }, content: Buffer.from(enc?.content ?? []).fill(1, 20) }],
    };
  };
  await alice.sendText(bob.jid, 'garbled');
  await eventually(() => expect(outcomes('failed')).toHaveLength(6));
  expect(outcomes('retry-sent')).toHaveLength(5);
});

test('refuses a bundle with a bad signature', async () => {
  const alice = devices.createContact({ pn: '15550000001' });
  const bob = devices.createContact({ pn: '15550000002' });
  relay.device(bob.device().address).keys.signedPreKey.signature = Buffer.alloc(64, 7);
  await expect(alice.sendText(bob.jid, 'x')).rejects.toThrow('No device of');
  expect(alice.problems).toMatchObject([{ error: { name: 'BadBundleError' } }]);
});

test('reads as configured, and on demand', async () => {
  const alice = devices.createContact({ pn: '15550000001' });
  const bob = devices.createContact({ pn: '15550000002' });
  const silent = await alice.sendText(bob.jid, 'one');
  await bob.waitForMessage(({ id }) => id === silent.id);
  bob.markRead([silent.id]);
  await alice.waitForReceipt(({ ids, type }) => ids.includes(silent.id) && type === 'read');
  bob.receiptMode = 'played';
  const voice = await alice.sendMedia(bob.jid, 'audio', Buffer.from('sound'));
  const entry = await bob.waitForMessage(({ id }) => id === voice.id);
  expect((await bob.downloadMedia(entry)).toString()).toBe('sound');
  await alice.waitForReceipt(({ ids, type }) => ids.includes(voice.id) && type === 'played');
  bob.receiptMode = 'none';
  const unseen = await alice.sendText(bob.jid, 'two');
  await bob.waitForMessage(({ id }) => id === unseen.id);
  await eventually(() =>
    expect(relay.submitted.at(-1)?.stanza).toMatchObject({ tag: 'ack', attrs: { id: unseen.id } }),
  );
  expect(alice.receipts.all.some(({ ids }) => ids.includes(unseen.id))).toBe(false);
});

test('reactions, edits, revokes and typing arrive as such', async () => {
  const alice = devices.createContact({ pn: '15550000001' });
  const bob = devices.createContact({ pn: '15550000002' });
  const { id } = await alice.sendText(bob.jid, 'draft');
  await bob.waitForMessage((entry) => entry.id === id);
  await bob.react(alice.jid, id, '+1');
  await alice.edit(bob.jid, id, 'final');
  await alice.revoke(bob.jid, id);
  await bob.waitForMessage(({ type }) => type === 'revoke');
  expect(bob.inbox.all.map(({ type, text }) => [type, text])).toEqual([
    ['text', 'draft'],
    ['edit', 'final'],
    ['revoke', undefined],
  ]);
  await alice.waitForMessage(({ type, text }) => type === 'reaction' && text === '+1');
  await alice.signal.typing(bob.jid);
  await bob.signals.waitFor(({ tag }) => tag === 'chatstate');
});

test('a group reads by sender keys, and who was removed cannot read on', async () => {
  const [alice, bob, carol] = ['1', '2', '3'].map((digit) =>
    devices.createContact({ pn: `1555000000${digit}`, devices: 2 }),
  );
  if (!alice || !bob || !carol) throw new Error('unreachable');
  const group = '120363000000000001@g.us';
  relay.groups.set(group, [alice.jid, bob.jid, carol.jid]);
  for (const text of ['a', 'b', 'c']) await alice.sendText(group, text);
  await bob.sendText(group, 'from bob', { device: 1 });
  for (const reader of [bob, carol]) {
    await eventually(() => {
      for (const device of [0, 1]) {
        const fromAlice = reader.inbox.all.filter((entry) => entry.device === device && entry.from === alice.jid);
        expect(fromAlice.map(({ text, chat }) => [text, chat])).toEqual([
          ['a', group],
          ['b', group],
          ['c', group],
        ]);
      }
    });
  }
  await carol.waitForMessage(({ text }) => text === 'from bob');
  expect(outcomes('failed')).toEqual([]);

  relay.groups.set(group, [alice.jid, bob.jid]);
  for (const { address } of [alice.device(), bob.device()]) {
    relay.hand(relay.device(address), {
      tag: 'notification',
      attrs: { id: 'n', type: 'w:gp2', from: group },
      content: [{ tag: 'remove', attrs: {} }],
    });
  }
  await eventually(() => expect(relay.submitted.filter(({ stanza }) => stanza.attrs.id === 'n')).toHaveLength(2));
  await alice.sendText(group, 'without carol');
  await bob.waitForMessage(({ text, device }) => text === 'without carol' && device === 1);
  const sent = relay.submitted.findLast(({ from, stanza }) => from.pn === alice.pn && stanza.tag === 'message');
  const parts = (sent?.stanza.content ?? []) as BinaryNode[];
  const skmsg = parts.find(({ attrs }) => attrs.type === 'skmsg');
  const intercept = () =>
    carol.device().core.senderKeys.decrypt(group, alice.jid, Buffer.from(skmsg?.content as Uint8Array));
  expect(intercept).toThrow('No sender key');
});
