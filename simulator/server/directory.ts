import { createHash } from 'node:crypto';
import { lidJid, parseJid, pnJid } from '../devices/jids.ts';
import type { AccountSeed, DeviceAddress, PublishedKeys } from '../ports.ts';
import type { SeededRandom } from './random.ts';

export interface Device {
  readonly address: DeviceAddress;
  readonly keyIndex: number;
  keys: PublishedKeys;
  /** encoded ADVSignedDeviceIdentity; a primary has none */
  identity?: Uint8Array;
  /** the static Noise key that may log in as this device; pinned by the first login when it is not known before */
  noiseKey?: Buffer;
}

export type JidMode = 'pn' | 'lid';

export interface Account {
  readonly pn: string;
  readonly lid: string;
  pushName: string;
  status: { text: string; at: number };
  readonly devices: Map<number, Device>;
  /** never given out again, as on the real server */
  nextDevice: number;
  /** who asked for the device list: device key -> the addressing it asked in */
  readonly deviceWatchers: Map<string, { address: DeviceAddress; mode: JidMode }>;
  readonly blocked: Set<string>;
  readonly privacy: Map<string, string>;
}

export const deviceKey = ({ pn, device }: DeviceAddress): string => `${pn}:${device}`;

export const jidOf = (address: DeviceAddress, mode: JidMode): string =>
  mode === 'lid' ? lidJid(address.lid, address.device) : pnJid(address.pn, address.device);

export const accountJid = (account: { pn: string; lid: string }, mode: JidMode): string =>
  mode === 'lid' ? lidJid(account.lid) : pnJid(account.pn);

export const modeOf = (jid: string): JidMode => (jid.endsWith('@lid') ? 'lid' : 'pn');

/** Accounts and their devices, by phone number and by LID. */
export class Directory {
  private readonly byPn = new Map<string, Account>();
  private readonly byLid = new Map<string, Account>();
  private readonly random: SeededRandom;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  /** Adds the account when it is new; the first caller's LID and name stay. */
  ensureAccount({ pn, lid, name }: AccountSeed): Account {
    const known = this.byPn.get(pn);
    if (known) return known;
    if (!/^\d{5,20}$/.test(pn)) throw new Error(`Not a phone number: ${pn}`);
    const account: Account = {
      pn,
      lid: lid ?? this.makeLid(pn),
      pushName: name ?? '',
      status: { text: 'Hey there! I am using WhatsApp.', at: Math.floor(Date.now() / 1000) },
      devices: new Map(),
      nextDevice: 1,
      deviceWatchers: new Map(),
      blocked: new Set(),
      privacy: new Map(),
    };
    if (this.byLid.has(account.lid)) throw new Error(`The LID ${account.lid} is taken`);
    this.byPn.set(pn, account);
    this.byLid.set(account.lid, account);
    return account;
  }

  /** @param device the next free number when left out */
  addDevice(
    account: Account,
    keys: PublishedKeys,
    options: { device?: number; keyIndex?: number; identity?: Uint8Array; noiseKey?: Buffer } = {},
  ): Device {
    const number = options.device ?? account.nextDevice;
    if (account.devices.has(number)) throw new Error(`Device ${number} of ${account.pn} exists`);
    account.nextDevice = Math.max(account.nextDevice, number + 1);
    const device: Device = {
      address: { pn: account.pn, lid: account.lid, device: number },
      keyIndex: options.keyIndex ?? number,
      keys: { ...keys, preKeys: [...keys.preKeys] },
      ...(options.identity && { identity: options.identity }),
      ...(options.noiseKey && { noiseKey: options.noiseKey }),
    };
    account.devices.set(number, device);
    return device;
  }

  removeDevice({ pn, device }: DeviceAddress): Device | undefined {
    const account = this.byPn.get(pn);
    const removed = account?.devices.get(device);
    account?.devices.delete(device);
    return removed;
  }

  get accounts(): IterableIterator<Account> {
    return this.byPn.values();
  }

  account(pn: string): Account | undefined {
    return this.byPn.get(pn);
  }

  /** The account that a user JID (either addressing, with or without a device) names. */
  accountOf(jid: string): Account | undefined {
    if (!jid.includes('@')) return undefined;
    const { user, server } = parseJid(jid);
    if (server === 'lid') return this.byLid.get(user);
    return server === 's.whatsapp.net' || server === 'c.us' ? this.byPn.get(user) : undefined;
  }

  /** The device that a JID names; device 0 when it names none. */
  deviceOf(jid: string): Device | undefined {
    return this.accountOf(jid)?.devices.get(parseJid(jid).device);
  }

  device(address: DeviceAddress): Device | undefined {
    return this.byPn.get(address.pn)?.devices.get(address.device);
  }

  private makeLid(pn: string): string {
    const number = this.random.bytes(`lid ${pn}`, 6).readUIntBE(0, 6) % 1e14;
    return String(1e14 + number);
  }
}

/** The hash that clients compare device lists by: `2:` + base64 of 6 bytes of SHA-256 over the sorted `PN.0:DEV@server`. */
export function deviceListHash(account: Account): string {
  const names = [...account.devices.keys()].map((device) => `${account.pn}.0:${device}@s.whatsapp.net`).sort();
  const digest = createHash('sha256').update(names.join('')).digest();
  return `2:${digest.subarray(0, 6).toString('base64')}`;
}
