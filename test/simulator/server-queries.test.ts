import { request } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import {
  type BinaryNode,
  decodeSyncdSnapshot,
  downloadMediaMessage,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  proto,
  type WAMessage,
} from '@whiskeysockets/baileys';
import { downloadDecrypted, type FileReference } from '../../simulator/devices/media.ts';
import type { BaileysClient } from '../helpers/baileys-client.ts';
import { eventually } from '../helpers/eventually.ts';
import { SimulatedWorld } from '../helpers/simulated-world.ts';

describe('queries of real clients', () => {
  let world: SimulatedWorld;
  let numbers = 0;
  const trusted = getCACertificates('default');

  const newContact = (devices = 1) =>
    world.simulator.devices.createContact({ pn: `1444${String(++numbers).padStart(7, '0')}`, devices });
  const deviceOf = (pn: string, device = 1) => {
    const found = world.simulator.server.world.directory.account(pn)?.devices.get(device);
    if (!found) throw new Error(`No device ${device} of ${pn}`);
    return found;
  };

  const mediaAt = (path: string): Buffer => {
    const bytes = world.simulator.server.world.media.get(path);
    if (!bytes) throw new Error(`No media at ${path}`);
    return bytes;
  };

  beforeAll(async () => {
    world = await SimulatedWorld.start({ seed: 'queries', appStateSnapshotAfter: 5 });
    setDefaultCACertificates([...trusted, world.simulator.mediaCertificate]);
  });

  afterAll(async () => {
    setDefaultCACertificates(trusted);
    await world.close();
  });

  it('knows who is on WhatsApp, and their status', async () => {
    const { client } = await world.online();
    const contact = newContact();
    const found = await client.sock.onWhatsApp(contact.pn, '19990000001');
    expect(found).toEqual([{ jid: contact.pnJid, exists: true }]); // Baileys leaves out who is not
    const [status] = (await client.sock.fetchStatus(contact.pnJid)) ?? [];
    expect(status).toMatchObject({ id: contact.pnJid, status: { status: 'Hey there! I am using WhatsApp.' } });
  });

  it('keeps privacy settings and the blocklist, and drops what blocked people send', async () => {
    const { client, pn } = await world.online();
    const contact = newContact();
    await client.sock.updateLastSeenPrivacy('contacts');
    expect(await client.sock.fetchPrivacySettings(true)).toMatchObject({ last: 'contacts', readreceipts: 'all' });
    await client.sock.sendMessage(contact.pnJid, { text: 'hello' });
    await client.sock.updateBlockStatus(contact.pnJid, 'block');
    expect(await client.sock.fetchBlocklist()).toEqual([contact.jid]);
    const { id } = await contact.sendText(pn, 'blocked');
    await contact.waitForAck(id);
    await client.sock.updateBlockStatus(contact.pnJid, 'unblock');
    await contact.sendText(pn, 'unblocked');
    await client.waitText('unblocked');
    expect(world.simulator.witness.messages.get(id)?.deliveries).not.toHaveProperty(`${pn}:1`);
  });

  it('serves profile pictures from the media host', async () => {
    const { client, pn } = await world.online();
    const other = await world.online();
    const jid = `${pn}@s.whatsapp.net`;
    await expect(other.client.sock.profilePictureUrl(jid)).rejects.toThrow('item-not-found');
    await client.sock.query({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'w:profile:picture' },
      content: [{ tag: 'picture', attrs: { type: 'image' }, content: Buffer.from('not really a picture') }],
    });
    const url = (await other.client.sock.profilePictureUrl(jid, 'image')) ?? '';
    expect((await get(url)).body.toString()).toBe('not really a picture');
  });

  it('carries media both ways through the media host', async () => {
    const { client, pn } = await world.online();
    const contact = newContact();
    const file = Buffer.from('a document of the client');
    await client.sock.sendMessage(contact.pnJid, { document: file, mimetype: 'text/plain', fileName: 'a.txt' });
    const entry = await contact.waitForMessage(({ type }) => type === 'document');
    expect(await contact.downloadMedia(entry)).toEqual(file);
    await contact.sendMedia(pn, 'document', Buffer.from('a document of the contact'));
    const received = await eventually(() => {
      const found = client.received.find(({ message, key }) => message?.documentMessage && !key.fromMe);
      if (!found) throw new Error('no document');
      return found;
    });
    expect((await downloadMediaMessage(received as WAMessage, 'buffer', {})).toString()).toBe(
      'a document of the contact',
    );
  });

  it('answers ranges of media, with a query or two on the path', async () => {
    const { media } = world.simulator.server.world;
    const { directPath } = media.put(Buffer.from('0123456789'), 'image');
    const url = `https://${world.simulator.mediaHost}${directPath}&hash=abc&mms-type=image`;
    expect(directPath).toContain('?');
    expect(await get(url)).toMatchObject({ status: 200, body: Buffer.from('0123456789') });
    expect(await get(url, 'bytes=2-4')).toMatchObject({ status: 206, body: Buffer.from('234'), range: 'bytes 2-4/10' });
    expect(await get(url, 'bytes=-3')).toMatchObject({ status: 206, body: Buffer.from('789') });
    expect(await get(url, 'bytes=10-')).toMatchObject({ status: 416 });
    expect(await get(`https://${world.simulator.mediaHost}/v/none.enc`)).toMatchObject({ status: 404 });
  });

  it('orders app state patches of several companions and tells the others', async () => {
    const { client, phone, pn } = await world.online();
    const second = world.client();
    second.connect();
    await phone.scanQr(await second.waitQr());
    await second.waitOpen();
    await eventually(() => expect(second.creds.myAppStateKeyId).toBeTruthy());
    const named = namesSeenBy(second);
    const contact = newContact();
    const chat = contact.pnJid;
    await client.sock.addOrEditContact(chat, { fullName: 'Grace' });
    await eventually(async () => {
      await contact.sendText(pn, 'Baileys holds events back until the next stanza');
      expect(named).toEqual(['Grace']);
    });
    await Promise.all([
      client.sock.addOrEditContact(chat, { fullName: 'Grace Hopper' }),
      second.sock.chatModify({ pin: true }, chat),
    ]);
    await eventually(async () => {
      await contact.sendText(pn, 'Baileys holds events back until the next stanza');
      expect(named.at(-1)).toBe('Grace Hopper');
    });
    const { appState } = world.simulator.server.world;
    expect(appState.version(phone.pn, 'critical_unblock_low')).toBe(2);
    expect(appState.version(phone.pn, 'regular_low')).toBe(1);
  });

  it('answers a patch on an old version with 409 and the patches that are missing', async () => {
    const { client } = await world.online();
    const chat = newContact().pnJid;
    for (const fullName of ['one', 'two', 'three']) await client.sock.addOrEditContact(chat, { fullName });
    const stale = await client.sock.query(
      syncQuery('1', false, [{ tag: 'patch', attrs: {}, content: Buffer.alloc(0) }]),
    );
    const collection = getBinaryNodeChild(getBinaryNodeChild(stale, 'sync'), 'collection');
    expect(collection?.attrs).toMatchObject({ type: 'error', version: '3' });
    expect(getBinaryNodeChild(collection, 'error')?.attrs.code).toBe('409');
    expect(getBinaryNodeChildren(getBinaryNodeChild(collection, 'patches'), 'patch')).toHaveLength(2);
  });

  it('folds patches into a snapshot whose MAC holds', async () => {
    const { client, pn, phone } = await world.online();
    const chats = [newContact().pnJid, newContact().pnJid];
    for (const fullName of ['one', 'two', 'three', 'four']) {
      for (const chat of chats) await client.sock.addOrEditContact(chat, { fullName });
    }
    await client.sock.removeContact(chats[0] ?? '');
    const answer = await client.sock.query(syncQuery('0', true));
    const collection = getBinaryNodeChild(getBinaryNodeChild(answer, 'sync'), 'collection');
    const reference = proto.ExternalBlobReference.decode(
      getBinaryNodeChild(collection, 'snapshot')?.content as Uint8Array,
    );
    const store = {
      upload: () => Promise.reject(new Error('unused')),
      download: async (path: string) => mediaAt(path),
    };
    const plain = await downloadDecrypted(store, reference as Partial<FileReference>, 'md-app-state');
    const warnings: unknown[] = [];
    const logger = { warn: (details: unknown) => warnings.push(details) } as unknown as Parameters<
      typeof decodeSyncdSnapshot
    >[5];
    const getKey = async () => phone.appStateKeys.all[0]?.keyData as proto.Message.AppStateSyncKeyData;
    const snapshot = proto.SyncdSnapshot.decode(plain);
    const { mutationMap } = await decodeSyncdSnapshot(
      'critical_unblock_low',
      snapshot,
      getKey,
      undefined,
      true,
      logger,
    );
    const names = Object.values(mutationMap).map(({ syncAction }) => syncAction.value?.contactAction?.fullName);
    expect(names).toEqual(['four']);
    expect(warnings).toEqual([]);
    expect(pn).toBe(phone.pn);
  });

  it('hands out one-time pre-keys once, and tells a device that runs low', async () => {
    const { pn } = await world.online();
    const device = deviceOf(pn);
    const before = device.keys.preKeys.length;
    const contact = newContact();
    const bundle = async () =>
      world.simulator.server.query(contact.device().address, {
        tag: 'iq',
        attrs: { id: `k${Math.random()}`, type: 'get', xmlns: 'encrypt', to: '@s.whatsapp.net' },
        content: [{ tag: 'key', attrs: {}, content: [{ tag: 'user', attrs: { jid: `${pn}:1@s.whatsapp.net` } }] }],
      });
    const ids = new Set<string>();
    for (let index = 0; index < before; index++) {
      const answer = JSON.stringify(await bundle());
      ids.add(answer);
      if (device.keys.preKeys.length > before) break;
    }
    expect(ids.size).toBeGreaterThanOrEqual(before - 5);
    await eventually(() => expect(device.keys.preKeys.length).toBeGreaterThanOrEqual(5));
  });

  it('passes privacy tokens on to the contact they are for', async () => {
    const [one, two] = await Promise.all([world.online(), world.online()]);
    await one.client.sock.sendMessage(`${two.pn}@s.whatsapp.net`, { text: 'trust me' });
    await two.client.waitText('trust me');
    await eventually(() => {
      const seen = world.simulator.witness.stanzas({ pn: two.pn, tag: 'notification', direction: 'out' });
      expect(seen.some(({ type }) => type === 'privacy_token')).toBe(true);
    });
  });

  it('answers standing and capping queries, and unknown ones with an error', async () => {
    const { client } = await world.online();
    expect(await client.sock.fetchAccountReachoutTimelock()).toMatchObject({ isActive: false });
    const unknown = { tag: 'iq', attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'never:heard' } };
    await expect(client.sock.query(unknown)).rejects.toThrow('feature-not-implemented');
  });

  it('refuses a signed pre-key that the identity did not sign', async () => {
    const { client } = await world.online();
    const id = Buffer.from([0, 0, 9]);
    const rotation = {
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'encrypt' },
      content: [
        {
          tag: 'rotate',
          attrs: {},
          content: [
            {
              tag: 'skey',
              attrs: {},
              content: [
                { tag: 'id', attrs: {}, content: id },
                { tag: 'value', attrs: {}, content: client.creds.signedPreKey.keyPair.public },
                { tag: 'signature', attrs: {}, content: Buffer.alloc(64, 1) },
              ],
            },
          ],
        },
      ],
    };
    await expect(client.sock.query(rotation)).rejects.toThrow('bad signature');
    await client.sock.rotateSignedPreKey();
  });
});

const syncQuery = (version: string, wantsSnapshot: boolean, content?: BinaryNode[]): BinaryNode => ({
  tag: 'iq',
  attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'w:sync:app:state' },
  content: [
    {
      tag: 'sync',
      attrs: {},
      content: [
        {
          tag: 'collection',
          attrs: { name: 'critical_unblock_low', version, return_snapshot: String(wantsSnapshot) },
          ...(content && { content }),
        },
      ],
    },
  ],
});

function namesSeenBy(client: BaileysClient): (string | undefined)[] {
  const names: (string | undefined)[] = [];
  client.sock.ev.on('contacts.upsert', (contacts) => void names.push(...contacts.map(({ name }) => name)));
  return names;
}

function get(url: string, range?: string): Promise<{ status: number; body: Buffer; range?: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, range ? { headers: { range } } : {}, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
      const contentRange = response.headers['content-range'];
      const answer = { status: response.statusCode ?? 0, body: Buffer.concat(chunks) };
      resolve(contentRange ? { ...answer, range: contentRange } : answer);
    });
    asked.on('error', reject).end();
  });
}
