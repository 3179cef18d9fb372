import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AuthenticationCreds,
  addTransactionCapability,
  BufferJSON,
  initAuthCreds,
  type SignalDataTypeMap,
  type SignalKeyStore,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';
import { makeLibSignalRepository } from '@whiskeysockets/baileys/lib/Signal/libsignal.js';
import { pino } from 'pino';
import { encodeIdentity, isGenuineDevice } from '../../simulator/devices/adv.ts';
import { sign, withKeyType } from '../../simulator/devices/curve.ts';
import { DeviceKeys } from '../../simulator/devices/device-keys.ts';
import { createDevices, writeAuthFolder } from '../../simulator/devices/index.ts';
import type { PreKeyBundle } from '../../simulator/devices/pre-key-bundle.ts';
import { SenderKeys } from '../../simulator/devices/sender-keys.ts';
import { Sessions } from '../../simulator/devices/sessions.ts';
import { quietConsole } from './devices-quiet.ts';
import { TinyRelay } from './devices-relay.ts';

/** A store that forgets nothing and hands out copies, like a database. */
function memoryStore(): SignalKeyStore {
  const values = new Map<string, string>();
  return {
    get: async <Type extends keyof SignalDataTypeMap>(type: Type, ids: string[]) => {
      const found = ids
        .map((id) => [id, values.get(`${type}/${id}`)] as const)
        .filter(([, value]) => value !== undefined);
      return Object.fromEntries(found.map(([id, value]) => [id, JSON.parse(value as string, BufferJSON.reviver)]));
    },
    set: async (data) => {
      for (const [type, entries] of Object.entries(data)) {
        for (const [id, value] of Object.entries(entries)) {
          if (value === null) values.delete(`${type}/${id}`);
          else values.set(`${type}/${id}`, JSON.stringify(value, BufferJSON.replacer));
        }
      }
    },
  };
}

const silent = pino({ level: 'silent' });

function baileys(creds: AuthenticationCreds = initAuthCreds()) {
  const keys = addTransactionCapability(memoryStore(), silent, { maxCommitRetries: 1, delayBetweenTriesMs: 0 });
  return { creds, repository: makeLibSignalRepository({ creds, keys }, silent) };
}

const bundleOf = (keys: DeviceKeys): PreKeyBundle => {
  const { registrationId, identityKey, signedPreKey, preKeys } = keys.publish(1);
  const [preKey] = preKeys;
  return {
    registrationId,
    identityKey: withKeyType(identityKey),
    signedPreKey: {
      keyId: signedPreKey.keyId,
      publicKey: withKeyType(signedPreKey.publicKey),
      signature: Buffer.from(signedPreKey.signature),
    },
    preKey: { keyId: preKey?.keyId ?? 0, publicKey: withKeyType(preKey?.publicKey ?? new Uint8Array(32)) },
  };
};

const us = '100@lid';
const them = '200@lid';

test('sessions with real Baileys work both ways, silently, and survive replays and garbage', async () => {
  const { printed, restore } = quietConsole();
  const keys = new DeviceKeys();
  const sessions = new Sessions('1:0', keys);
  const { repository } = baileys();
  await repository.injectE2ESession({ jid: us, session: bundleOf(keys) });
  const first = await repository.encryptMessage({ jid: us, data: Buffer.from('first') });
  expect((await sessions.decrypt(them, 'pkmsg', Buffer.from(first.ciphertext))).toString()).toBe('first');
  for (let round = 0; round < 5; round += 1) {
    const out = await sessions.encrypt(them, Buffer.from(`out ${round}`));
    expect(out.type).toBe('msg');
    expect(Buffer.from(await repository.decryptMessage({ jid: us, ...out })).toString()).toBe(`out ${round}`);
    const back = await repository.encryptMessage({ jid: us, data: Buffer.from(`back ${round}`) });
    await expect(sessions.decrypt(them, 'msg', Buffer.from(out.ciphertext))).rejects.toThrow();
    expect((await sessions.decrypt(them, 'msg', Buffer.from(back.ciphertext))).toString()).toBe(`back ${round}`);
    await expect(sessions.decrypt(them, 'msg', Buffer.from(back.ciphertext))).rejects.toMatchObject({
      name: 'MessageCounterError',
    });
  }
  // only our side is meant: a new session closes the former one, which libsignal would print with its private keys
  printed.length = 0;
  await sessions.open(them, bundleOf(new DeviceKeys()));
  await sessions.open(them, bundleOf(new DeviceKeys()));
  expect(printed).toEqual([]);
  restore();
});

test('group messages with real Baileys work both ways', async () => {
  const group = '1@g.us';
  const ours = new SenderKeys();
  const { repository } = baileys();
  await repository.processSenderKeyDistributionMessage({
    authorJid: us,
    item: { groupId: group, axolotlSenderKeyDistributionMessage: ours.distribution(group) },
  });
  for (const text of ['a', 'b', 'c']) {
    const msg = ours.encrypt(group, Buffer.from(text));
    expect(Buffer.from(await repository.decryptGroupMessage({ group, authorJid: us, msg })).toString()).toBe(text);
  }
  const sent: Awaited<ReturnType<typeof repository.encryptGroupMessage>>[] = [];
  for (const text of ['x', 'y', 'z'])
    sent.push(await repository.encryptGroupMessage({ group, meId: them, data: Buffer.from(text) }));
  ours.accept(group, them, sent[0]?.senderKeyDistributionMessage ?? new Uint8Array());
  // out of order, and one of them twice
  const read = (index: number) => ours.decrypt(group, them, Buffer.from(sent[index]?.ciphertext ?? [])).toString();
  expect([read(2), read(0), read(1)]).toEqual(['z', 'x', 'y']);
  expect(() => read(1)).toThrow('used already');
});

test('a forged group message is refused', () => {
  const [ours, theirs] = [new SenderKeys(), new SenderKeys()];
  ours.accept('1@g.us', them, theirs.distribution('1@g.us'));
  const bytes = theirs.encrypt('1@g.us', Buffer.from('text'));
  bytes[bytes.length - 70] = (bytes[bytes.length - 70] ?? 0) ^ 1;
  expect(() => ours.decrypt('1@g.us', them, bytes)).toThrow('Bad group signature');
});

test('prepared accounts are what Baileys reads from an auth folder', async () => {
  const relay = new TinyRelay();
  const devices = createDevices(relay, {
    seed: 's',
    report: () => undefined,
    mediaUpload: async () => ({ directPath: '/x', url: 'https://localhost/x' }),
    mediaDownload: async () => new Uint8Array(),
  });
  const [account, other] = devices.prepare(2, { preKeys: 5 });
  if (!account) throw new Error('unreachable');
  expect(other?.pn).not.toBe(account.pn);
  const folder = await mkdtemp(join(tmpdir(), 'auth-'));
  await writeAuthFolder(folder, account);
  const { state } = await useMultiFileAuthState(folder);
  await rm(folder, { recursive: true });
  expect(state.creds.me?.id).toBe(account.jid);
  expect(state.creds.nextPreKeyId).toBe(6);
  const published = relay.device({ pn: account.pn, lid: account.lid, device: account.device }).keys;
  const creds = JSON.parse(JSON.stringify(account.creds), BufferJSON.reviver) as AuthenticationCreds;
  expect(Buffer.from(creds.signedIdentityKey.public)).toEqual(Buffer.from(published.identityKey));
  expect(isGenuineDevice(encodeIdentity(creds.account ?? {}), published.identityKey)).toBe(true);
  const signature = sign(creds.signedIdentityKey, withKeyType(published.signedPreKey.publicKey));
  expect(signature).toHaveLength(64);
  expect(Object.keys(account.keys['pre-key'] ?? {})).toEqual(['1', '2', '3', '4', '5']);
  devices.close();
});
