import { createHash } from 'node:crypto';
import {
  type BinaryNode,
  Curve,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  initAuthCreds,
  proto,
} from '@whiskeysockets/baileys';
import { encodeIdentity, signDevice } from '../../simulator/devices/adv.ts';
import { generateKeyPair, isSignedBy } from '../../simulator/devices/curve.ts';
import { childBytes } from '../../simulator/devices/nodes.ts';
import { createNoiseIdentity } from '../../simulator/server/noise-certificate.ts';
import { SeededRandom } from '../../simulator/server/random.ts';
import { eventually } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { SimulatedWorld } from '../helpers/simulated-world.ts';

const nothing = new Uint8Array();

const uint = (value: number, width: number): Buffer => {
  const bytes = Buffer.alloc(width);
  bytes.writeUIntBE(value, 0, width);
  return bytes;
};

const ping = (id: string): BinaryNode => ({
  tag: 'iq',
  attrs: { id, type: 'get', xmlns: 'w:p', to: '@s.whatsapp.net' },
  content: [{ tag: 'ping', attrs: {} }],
});

describe('the protocol as clients other than Baileys speak it', () => {
  let world: SimulatedWorld;
  const clients: RawClient[] = [];

  const connect = (): RawClient => {
    const client = new RawClient(world.simulator.url);
    clients.push(client);
    return client;
  };

  /** A device without a pinned Noise key, logged in by hand. */
  const login = async (passive = true) => {
    const [account] = world.simulator.devices.prepare(1);
    if (!account) throw new Error('nothing prepared');
    const client = connect();
    const noiseKey = Curve.generateKeyPair();
    await client.login(noiseKey, { username: Number(account.pn), device: account.device, passive });
    await client.waitFor(({ tag }) => tag === 'success');
    return { client, account, noiseKey };
  };

  const registration = (creds = initAuthCreds(), changes: object = {}): proto.IClientPayload => ({
    passive: false,
    devicePairingData: {
      eRegid: uint(creds.registrationId, 4),
      eKeytype: Buffer.from([5]),
      eIdent: creds.signedIdentityKey.public,
      eSkeyId: uint(creds.signedPreKey.keyId, 3),
      eSkeyVal: creds.signedPreKey.keyPair.public,
      eSkeySig: creds.signedPreKey.signature,
      ...changes,
    },
  });

  beforeAll(async () => {
    world = await SimulatedWorld.start({ seed: 'protocol' });
  });

  afterAll(async () => {
    for (const client of clients) client.close();
    await world.close();
  });

  it('signs its Noise certificate chain down from the root key that it publishes', () => {
    const { certificateChain, rootPublicKey, staticKey } = createNoiseIdentity(new SeededRandom('protocol'));
    expect(rootPublicKey.toString('hex')).toBe(world.simulator.rootPublicKey);
    const { intermediate, leaf } = proto.CertChain.decode(certificateChain);
    const { Details } = proto.CertChain.NoiseCertificate;
    const middle = Details.decode(intermediate?.details ?? nothing);
    const last = Details.decode(leaf?.details ?? nothing);
    expect(isSignedBy(rootPublicKey, intermediate?.details ?? nothing, intermediate?.signature ?? nothing)).toBe(true);
    expect(isSignedBy(middle.key ?? nothing, leaf?.details ?? nothing, leaf?.signature ?? nothing)).toBe(true);
    expect([middle.issuerSerial, last.issuerSerial]).toEqual([0, middle.serial]);
    expect(Buffer.from(last.key ?? nothing)).toEqual(Buffer.from(staticKey.public));
  });

  it('takes several frames in one message, and one frame in several', async () => {
    const { client } = await login();
    client.sendBytes(Buffer.concat([client.frameOf(ping('a')), client.frameOf(ping('b'))]));
    const third = client.frameOf(ping('c'));
    for (const byte of [third.subarray(0, 2), third.subarray(2, 9), third.subarray(9)]) client.sendBytes(byte);
    for (const id of ['a', 'b', 'c']) await client.waitFor(({ attrs }) => attrs.id === id && attrs.type === 'result');
    expect(client.received.find(({ attrs }) => attrs.id === 'a')?.attrs.from).toBe('@s.whatsapp.net');
  });

  it('pushes what waited to a client that never asks for a batch, and again until it is receipted', async () => {
    const { client, account, noiseKey } = await login();
    const contact = world.simulator.devices.createContact({ pn: '15557770001' });
    const { id } = await contact.sendText(account.pn, 'waiting');
    client.send({
      tag: 'iq',
      attrs: { id: 'p', type: 'set', xmlns: 'passive', to: '@s.whatsapp.net' },
      content: [{ tag: 'active', attrs: {} }],
    });
    const message = await client.waitFor(({ tag, attrs }) => tag === 'message' && attrs.id === id);
    expect(message.attrs.offline).toBeDefined();
    const marker = await client.waitFor((stanza) => getBinaryNodeChild(stanza, 'offline') !== undefined);
    expect(client.received.indexOf(marker)).toBeGreaterThan(client.received.indexOf(message));
    client.close();
    const again = connect();
    await again.login(noiseKey, { username: Number(account.pn), device: account.device, passive: false });
    await again.waitFor(({ tag, attrs }) => tag === 'message' && attrs.id === id);
    again.send({ tag: 'receipt', attrs: { id, to: message.attrs.from ?? '' } });
    await eventually(() => {
      const address = { pn: account.pn, lid: account.lid, device: account.device };
      expect(world.simulator.server.world.post.mailbox(address).pendingCount).toBeLessThan(2);
    });
  });

  it('hands out keys in the widths that the protocol fixes', async () => {
    const { client, account } = await login();
    const user = { tag: 'user', attrs: { jid: `${account.pn}:1@s.whatsapp.net` } };
    client.send({
      tag: 'iq',
      attrs: { id: 'k', type: 'get', xmlns: 'encrypt', to: '@s.whatsapp.net' },
      content: [{ tag: 'key', attrs: {}, content: [user] }],
    });
    const answer = await client.waitFor(({ attrs }) => attrs.id === 'k');
    const [bundle] = getBinaryNodeChildren(getBinaryNodeChild(answer, 'list'), 'user');
    const width = (parent: BinaryNode | undefined, tag: string) => childBytes(parent, tag)?.length;
    const skey = getBinaryNodeChild(bundle, 'skey');
    expect([width(bundle, 'registration'), width(bundle, 'identity')]).toEqual([4, 32]);
    expect([width(skey, 'id'), width(skey, 'value'), width(skey, 'signature')]).toEqual([3, 32, 64]);
    expect(width(bundle, 'device-identity')).toBeGreaterThan(100);
  });

  it('tells who asked for a device list of every change of it, with its hash', async () => {
    const { client, account } = await login(false);
    const users = [{ tag: 'user', attrs: { jid: `${account.pn}@s.whatsapp.net` } }];
    const query = { tag: 'query', attrs: {}, content: [{ tag: 'devices', attrs: { version: '2' } }] };
    const watcher = await login(false);
    watcher.client.send({
      tag: 'iq',
      attrs: { id: 'u', type: 'get', xmlns: 'usync', to: '@s.whatsapp.net' },
      content: [{ tag: 'usync', attrs: { sid: '1' }, content: [query, { tag: 'list', attrs: {}, content: users }] }],
    });
    const hashOf = (...devices: number[]): string => {
      const names = devices.map((device) => `${account.pn}.0:${device}@s.whatsapp.net`).sort();
      return `2:${createHash('sha256').update(names.join('')).digest().subarray(0, 6).toString('base64')}`;
    };
    const answer = await watcher.client.waitFor(({ attrs }) => attrs.id === 'u');
    expect(JSON.stringify(answer)).toContain(hashOf(0, 1));
    const keys = initAuthCreds();
    const second = world.simulator.server.addDevice(
      account.pn,
      {
        registrationId: 1,
        identityKey: keys.signedIdentityKey.public,
        signedPreKey: { keyId: 1, publicKey: keys.signedPreKey.keyPair.public, signature: keys.signedPreKey.signature },
        preKeys: [],
      },
      nothing,
    );
    const change = (tag: string) =>
      watcher.client.waitFor(
        ({ attrs, content }) => attrs.type === 'devices' && Array.isArray(content) && content[0]?.tag === tag,
      );
    const added = getBinaryNodeChild(await change('add'), 'add');
    expect(added?.attrs.device_hash).toBe(hashOf(0, 1, second.device));
    expect(getBinaryNodeChild(added, 'device')?.attrs).toMatchObject({
      jid: `${account.pn}:2@s.whatsapp.net`,
      lid: `${account.lid}:2@lid`,
    });
    await client.waitFor(({ attrs }) => attrs.type === 'account_sync');
    await account.phone.removeCompanion(1);
    expect(getBinaryNodeChild(await change('remove'), 'remove')?.attrs.device_hash).toBe(hashOf(0, second.device));
    await client.waitFor(({ tag, attrs }) => tag === 'stream:error' && attrs.code === '401');
  });

  it('lets nobody in with another Noise key', async () => {
    const { account } = await login();
    const stranger = connect();
    await stranger.login(Curve.generateKeyPair(), {
      username: Number(account.pn),
      device: account.device,
      passive: true,
    });
    expect((await stranger.waitFor(({ tag }) => tag === 'failure')).attrs.reason).toBe('401');
  });

  it('tells a silent socket that was replaced from two sessions that overlap', async () => {
    const { sockets } = world.simulator.witness;
    const stopped = await login();
    stopped.client.stop();
    const payload = { username: Number(stopped.account.pn), device: stopped.account.device, passive: true };
    const second = connect();
    await second.login(stopped.noiseKey, payload);
    await second.waitFor(({ tag }) => tag === 'success');
    const isOurs = ({ device }: { device: { pn: string } }): boolean => device.pn === stopped.account.pn;
    await eventually(() => expect(sockets.list({ pn: stopped.account.pn, open: true })).toHaveLength(1));
    expect(sockets.replacements().filter(isOurs)).toHaveLength(1);
    expect(sockets.overlaps().filter(isOurs)).toHaveLength(0);
    const third = connect();
    await third.login(stopped.noiseKey, payload);
    await third.waitFor(({ tag }) => tag === 'success');
    await second.waitFor(
      ({ tag, content }) => tag === 'stream:error' && Array.isArray(content) && content[0]?.tag === 'conflict',
    );
    await eventually(() => expect(sockets.overlaps().filter(isOurs)).toHaveLength(1));
  });

  it('refuses a registration whose signed pre-key has a bad signature or width', async () => {
    for (const changes of [
      { eSkeySig: Buffer.alloc(64, 7) },
      { eRegid: Buffer.alloc(2) },
      { eIdent: Buffer.alloc(31) },
    ]) {
      const client = connect();
      await client.login(Curve.generateKeyPair(), registration(undefined, changes));
      expect((await client.waitFor(({ tag }) => tag === 'failure')).attrs.reason).toBe('400');
    }
  });

  it('refuses a companion that signs its device identity with another key', async () => {
    const { server, devices } = world.simulator;
    const phone = devices.createPhone({ pn: '15557770002' });
    const creds = initAuthCreds();
    const client = connect();
    await client.login(creds.noiseKey, registration(creds));
    const offer = await client.waitFor((stanza) => getBinaryNodeChild(stanza, 'pair-device') !== undefined);
    const [ref] = getBinaryNodeChildren(getBinaryNodeChild(offer, 'pair-device'), 'ref');
    const signed = signDevice(phone.device().keys.identity, creds.signedIdentityKey.public, { rawId: 1, keyIndex: 1 });
    const linking = server.link({
      ref: Buffer.from(ref?.content as Uint8Array).toString(),
      deviceIdentity: encodeIdentity(signed),
      keyIndex: 1,
      pn: '15557770002',
    });
    const refused = expect(linking).rejects.toThrow('did not sign');
    const success = await client.waitFor((stanza) => getBinaryNodeChild(stanza, 'pair-success') !== undefined);
    const forged = encodeIdentity({
      ...signed,
      deviceSignature: Curve.sign(generateKeyPair().private, Buffer.from('x')),
    });
    const identity = { tag: 'device-identity', attrs: { 'key-index': '1' }, content: forged };
    client.send({
      tag: 'iq',
      attrs: { id: success.attrs.id ?? '', type: 'result', to: '@s.whatsapp.net' },
      content: [{ tag: 'pair-device-sign', attrs: {}, content: [identity] }],
    });
    await refused;
    await client.waitFor(({ tag, attrs }) => tag === 'stream:error' && attrs.code === '401');
    expect(server.world.directory.account('15557770002')?.devices.size).toBe(1);
  });

  it('cuts off what is no WhatsApp client, and stays up', async () => {
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1'),
      Buffer.concat([Buffer.from('WA\x06\x03'), uint(5, 3), Buffer.alloc(5, 255)]),
    ]) {
      const client = connect();
      await client.opened();
      client.sendBytes(bytes);
      await eventually(() => expect(client.closed).toBe(true));
    }
    const { client } = await login();
    client.sendBytes(Buffer.concat([uint(40, 3), Buffer.alloc(40, 1)]));
    await eventually(() => expect(client.closed).toBe(true));
    await login();
  });
});
