import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BufferJSON, initAuthCreds } from '@whiskeysockets/baileys';
import type { AccountSeed, DeviceAddress, Relay } from '../ports.ts';
import { countersign, encodeIdentity, signDevice } from './adv.ts';
import { generateKeyPair, type KeyPair, withKeyType } from './curve.ts';
import { DeviceKeys } from './device-keys.ts';
import { lidJid, pnJid } from './jids.ts';
import type { Phone } from './phone.ts';

export interface PrepareOptions {
  /** one-time pre-keys of each companion; 30 by default (a client that registers itself makes 812) */
  preKeys?: number;
  /** whether the phones take part; offline phones leave their copies in the server's queue */
  phones?: 'online' | 'offline';
}

/** An account with one linked companion, whose credentials are for a Baileys client. */
export interface PreparedAccount {
  pn: string;
  lid: string;
  /** the companion's own JID */
  jid: string;
  device: number;
  phone: Phone;
  /** `AuthenticationCreds` as plain JSON: read it back with `BufferJSON.reviver` */
  creds: unknown;
  /** signal keys by type and id, each value as plain JSON of the same kind */
  keys: Record<string, Record<string, unknown>>;
}

interface World {
  relay: Relay;
  /** a phone number that nobody has */
  freePn(): string;
  createPhone(seed: AccountSeed): Phone;
}

/** Accounts are made here without a single round trip: a phone signs keys that it made for the companion. */
export function prepareAccounts(world: World, count: number, options: PrepareOptions): PreparedAccount[] {
  return Array.from({ length: count }, () => prepareAccount(world, world.freePn(), options));
}

function prepareAccount(
  world: World,
  pn: string,
  { preKeys = 30, phones = 'online' }: PrepareOptions,
): PreparedAccount {
  const phone = world.createPhone({ pn });
  if (phones === 'offline') phone.goOffline();
  const keys = new DeviceKeys();
  const { identity, registrationId: rawId } = phone.device().keys;
  const account = countersign(signDevice(identity, keys.identity.public, { rawId, keyIndex: 1 }), keys.identity);
  const address = world.relay.addDevice(pn, keys.publish(preKeys), encodeIdentity(account));
  phone.adopt(address.device, { synced: true });
  const creds = {
    ...initialCreds(),
    signedIdentityKey: keys.identity,
    signedPreKey: keys.signedPreKey,
    registrationId: keys.registrationId,
    nextPreKeyId: preKeys + 1,
    firstUnuploadedPreKeyId: preKeys + 1,
    ...companionCreds(address, phone),
    account,
  };
  return {
    pn,
    lid: address.lid,
    jid: pnJid(pn, address.device),
    device: address.device,
    phone,
    creds: plain(creds),
    keys: plain(keysOf(address, keys.unusedPreKeys(), phone)) as PreparedAccount['keys'],
  };
}

/** Baileys' own shape of fresh credentials; its keys cost most of the time here, so they are made once. */
let template: ReturnType<typeof initAuthCreds> | undefined;

function initialCreds(): ReturnType<typeof initAuthCreds> {
  template ??= initAuthCreds();
  const advSecretKey = randomBytes(32).toString('base64');
  return { ...template, noiseKey: generateKeyPair(), pairingEphemeralKeyPair: generateKeyPair(), advSecretKey };
}

function companionCreds(address: DeviceAddress, phone: Phone): Record<string, unknown> {
  const lid = lidJid(address.lid, address.device);
  const identifierKey = withKeyType(phone.device().keys.identity.public);
  return {
    registered: true,
    me: { id: pnJid(address.pn, address.device), lid, name: phone.name ?? address.pn },
    signalIdentities: [{ identifier: { name: lid, deviceId: 0 }, identifierKey }],
    platform: 'android',
    myAppStateKeyId: appStateKeyIds(phone)[0]?.id,
    // says that the first sync is over: Baileys would hold events back for 20 s otherwise
    accountSyncCounter: 1,
  };
}

function keysOf(address: DeviceAddress, preKeys: ReadonlyMap<number, KeyPair>, phone: Phone): PreparedAccount['keys'] {
  const { pn, lid, device } = address;
  return {
    'pre-key': Object.fromEntries(preKeys),
    'app-state-sync-key': Object.fromEntries(appStateKeyIds(phone).map(({ id, data }) => [id, data])),
    'lid-mapping': { [pn]: lid, [`${lid}_reverse`]: pn },
    'device-list': { [pn]: [device.toString()] },
  };
}

const appStateKeyIds = (phone: Phone): { id: string; data: unknown }[] =>
  phone.appStateKeys.all.map(({ keyId, keyData }) => ({
    id: Buffer.from(keyId?.keyId ?? []).toString('base64'),
    data: keyData,
  }));

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value, BufferJSON.replacer));

/** Writes a folder that Baileys' `useMultiFileAuthState` reads. */
export async function writeAuthFolder(
  folder: string,
  { creds, keys }: Pick<PreparedAccount, 'creds' | 'keys'>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'creds.json'), JSON.stringify(creds));
  for (const [type, values] of Object.entries(keys)) {
    for (const [id, value] of Object.entries(values)) {
      const name = `${type}-${id}.json`.replaceAll('/', '__').replaceAll(':', '-');
      await writeFile(join(folder, name), JSON.stringify(value));
    }
  }
}
