import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { WrongPairingCodeError } from '../../simulator/devices/index.ts';
import { type Simulator, startSimulator } from '../../simulator/index.ts';
import { BaileysClient } from '../helpers/baileys-client.ts';
import { eventually } from '../helpers/eventually.ts';
import { quietConsole } from './devices-quiet.ts';

let simulator: Simulator;
let quiet: ReturnType<typeof quietConsole>;
const clients: BaileysClient[] = [];

const newClient = (
  ...rest: ConstructorParameters<typeof BaileysClient> extends [unknown, ...infer Rest] ? Rest : never
) => {
  const client = new BaileysClient(simulator, ...rest);
  clients.push(client);
  return client;
};

beforeAll(async () => {
  quiet = quietConsole();
  simulator = await startSimulator({ seed: 'accounts' });
});

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await simulator.close();
  quiet.restore();
});

test('a wrong pairing code is said to be wrong, and the right one still works', async () => {
  const phone = simulator.devices.createPhone({ pn: '15553330001' });
  const client = newClient();
  client.connect();
  await client.waitQr();
  const code = await client.sock.requestPairingCode(phone.pn);
  const wrong = code.startsWith('A') ? `B${code.slice(1)}` : `A${code.slice(1)}`;
  await expect(phone.enterPairingCode(wrong)).rejects.toThrow(WrongPairingCodeError);
  await phone.enterPairingCode(code.toLowerCase());
  await client.waitOpen();
  expect(client.creds.me?.id).toContain(phone.pn);
});

test('prepared accounts log in without a registration and talk', async () => {
  const contact = simulator.devices.createContact({ pn: '15553330002', devices: 2 });
  const accounts = simulator.devices.prepare(5);
  const opened = await Promise.all(accounts.map((auth) => newClient({ auth }).open()));
  for (const [index, client] of opened.entries()) {
    await client.sock.sendMessage(contact.jid, { text: `from ${index}` });
    await contact.waitForMessage(({ text, device }) => text === `from ${index}` && device === 1);
    await contact.sendText(accounts[index]?.pn ?? '', `to ${index}`);
    await client.waitText(`to ${index}`);
    await accounts[index]?.phone.waitForMessage(({ text, fromMe }) => text === `from ${index}` && fromMe);
  }
});

test('the same seed makes the same accounts and message ids', async () => {
  const worlds = await Promise.all([1, 2].map(() => startSimulator({ seed: 'twice' })));
  const drawn = [];
  for (const { devices } of worlds) {
    const [account] = devices.prepare(1);
    const contact = devices.createContact({ pn: '15553330003' });
    const { id } = await contact.sendText(account?.pn ?? '', 'x');
    drawn.push([account?.pn, account?.lid, contact.lid, id]);
  }
  expect(drawn[0]).toEqual(drawn[1]);
  await Promise.all(worlds.map((world) => world.close()));
});

test('a removed member of a group cannot be written to any more, the others can', async () => {
  const [one, two] = simulator.devices.prepare(2);
  if (!one || !two) throw new Error('unreachable');
  const [first, second] = await Promise.all([one, two].map((auth) => newClient({ auth }).open()));
  const owner = simulator.devices.createContact({ pn: '15553330004', devices: 2 });
  const group = await owner.groups.create('Removal', [one.pn, two.pn]);
  await owner.sendText(group, 'all of you');
  await Promise.all([first?.waitText('all of you'), second?.waitText('all of you')]);
  await owner.groups.participants(group, 'remove', [two.pn]);
  await owner.sendText(group, 'the rest of you', { device: 1 });
  await owner.sendText(group, 'and again');
  await Promise.all([first?.waitText('the rest of you'), first?.waitText('and again')]);
  await first?.sock.sendMessage(group, { text: 'understood' });
  await owner.waitForMessage(({ text, device }) => text === 'understood' && device === 1);
  expect(two.phone.inbox.all.map(({ text }) => text)).toEqual(['all of you']);
  expect(owner.problems).toEqual([]);
});

test('a group that addresses by phone number works as well', async () => {
  const older = await startSimulator({ seed: 'pn', groupAddressing: 'pn' });
  const [account] = older.devices.prepare(1);
  if (!account) throw new Error('unreachable');
  const client = new BaileysClient(older, { auth: account });
  clients.push(client);
  await client.open();
  const owner = older.devices.createContact({ pn: '15553330007', devices: 2 });
  const group = await owner.groups.create('By number', [account.pn]);
  for (const round of [1, 2]) {
    await owner.sendText(group, `owner ${round}`, { device: round - 1 });
    await client.waitText(`owner ${round}`);
    await client.sock.sendMessage(group, { text: `client ${round}` });
    await owner.waitForMessage(({ text, device }) => text === `client ${round}` && device === 1);
  }
  await owner.sendText(account.pn, 'by number', { addressing: 'pn' });
  const direct = await client.waitText('by number');
  expect(direct.key.remoteJid).toBe(owner.pnJid);
  await client.sock.sendMessage(owner.pnJid, { text: 'answer' });
  await owner.waitForMessage(({ text }) => text === 'answer');
  expect(older.witness.messages.decryptFailures()).toEqual([]);
  await client.close();
  await older.close();
});

test('a companion that the phone removes is left out by those who wrote to it', async () => {
  const contact = simulator.devices.createContact({ pn: '15553330005' });
  const [account] = simulator.devices.prepare(1);
  if (!account) throw new Error('unreachable');
  const client = await newClient({ auth: account }).open();
  await contact.sendText(account.pn, 'before');
  await client.waitText('before');
  await account.phone.removeCompanion(account.device);
  await client.waitEnd(401);
  await eventually(async () => {
    expect(await contact.device().core.directory.devicesOf([account.phone.jid])).toEqual([account.phone.jid]);
  });
  await contact.sendText(account.pn, 'after');
  await account.phone.waitForMessage(({ text }) => text === 'after');
});

test('media go round through the media host, both ways', async () => {
  const contact = simulator.devices.createContact({ pn: '15553330006', devices: 2 });
  const [account] = simulator.devices.prepare(1);
  if (!account) throw new Error('unreachable');
  const folder = await mkdtemp(join(tmpdir(), 'media-'));
  const [document, inbound] = ['d'.repeat(100_000), 'i'.repeat(70_000)];
  await writeFile(join(folder, 'ca.pem'), simulator.mediaCertificate);
  const { url, rootPublicKey } = simulator;
  const auth = { creds: account.creds, keys: account.keys };
  await writeFile(
    join(folder, 'settings.json'),
    JSON.stringify({ url, rootPublicKey, auth, to: contact.jid, document, inbound }),
  );
  const script = fileURLToPath(new URL('./devices-media-client.ts', import.meta.url));
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') };
  const client = promisify(execFile)(process.execPath, [script, join(folder, 'settings.json')], {
    env,
    timeout: 30_000,
  });
  const entry = await contact.waitForMessage(({ type, device }) => type === 'document' && device === 1, 20_000);
  expect((await contact.downloadMedia(entry)).toString()).toBe(document);
  await contact.sendMedia(account.pn, 'image', Buffer.from(inbound), { caption: 'look' });
  const { stdout } = await client;
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({ caption: 'look', same: true });
  await rm(folder, { recursive: true });
});
