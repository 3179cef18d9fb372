import type { AccountSeed, DecryptReport, Relay } from '../ports.ts';
import { countersign, encodeIdentity, signDevice } from './adv.ts';
import { Contact, type ContactParts } from './contact.ts';
import { VirtualDevice } from './device.ts';
import { DeviceKeys } from './device-keys.ts';
import { createDraw, digits } from './ids.ts';
import { parseJid } from './jids.ts';
import type { MediaStore } from './media.ts';
import { Phone } from './phone.ts';
import { type PreparedAccount, type PrepareOptions, prepareAccounts } from './prepare.ts';

export interface DevicesOptions {
  /** makes ids, LIDs and phone numbers repeatable; keys are random all the same */
  seed?: string;
  report: (report: DecryptReport) => void;
  mediaUpload: MediaStore['upload'];
  mediaDownload: MediaStore['download'];
}

export interface ContactSeed extends AccountSeed {
  /** how many devices, the phone included; 1 by default */
  devices?: number;
}

const publishedPreKeys = 30;

/** The people of the simulated world. */
export class Devices {
  private readonly accounts = new Map<string, Contact>();
  private readonly relay: Relay;
  private readonly options: DevicesOptions;
  private nextNumber: number;

  constructor(relay: Relay, options: DevicesOptions) {
    this.relay = relay;
    this.options = options;
    this.nextNumber = Number(digits(createDraw(options.seed, 'phone numbers'), 7));
  }

  /** An account with a phone that links companions. It is online from the start. */
  createPhone(seed: AccountSeed, { preKeys = publishedPreKeys } = {}): Phone {
    return this.create(seed, (parts) => new Phone(this.relay, parts), preKeys);
  }

  /** An account whose devices all live here. They are online from the start. */
  createContact({ devices = 1, ...seed }: ContactSeed): Contact {
    const contact = this.create(seed, (parts) => new Contact(parts));
    for (let keyIndex = 1; keyIndex < devices; keyIndex += 1) this.addCompanion(contact, keyIndex);
    return contact;
  }

  phone(pn: string): Phone | undefined {
    const account = this.accounts.get(pn);
    return account instanceof Phone ? account : undefined;
  }

  /** The account of this number, phone or contact. */
  contact(pn: string): Contact | undefined {
    return this.accounts.get(pn);
  }

  get all(): readonly Contact[] {
    return [...this.accounts.values()];
  }

  /** Accounts whose companion is linked already: credentials for clients that log in without a registration. */
  prepare(count: number, options: PrepareOptions = {}): PreparedAccount[] {
    // few to begin with: a phone makes more when the server says that they run low
    const createPhone = (seed: AccountSeed): Phone => this.createPhone(seed, { preKeys: 10 });
    return prepareAccounts({ relay: this.relay, freePn: () => this.freePn(), createPhone }, count, options);
  }

  close(): void {
    for (const account of this.accounts.values()) account.close();
    this.accounts.clear();
  }

  private freePn(): string {
    const pn = `1999${this.nextNumber++}`;
    return this.accounts.has(pn) ? this.freePn() : pn;
  }

  private create<Account extends Contact>(
    seed: AccountSeed,
    make: (parts: ContactParts) => Account,
    preKeys = publishedPreKeys,
  ): Account {
    const pn = parseablePn(seed.pn);
    if (this.accounts.has(pn)) throw new Error(`${pn} exists already`);
    const { report, mediaUpload: upload, mediaDownload: download } = this.options;
    const keys = new DeviceKeys();
    const address = this.relay.addAccount({ ...seed, pn }, keys.publish(preKeys));
    const account = make({ address, name: seed.name, media: { upload, download }, report });
    this.addDevice(account, new VirtualDevice({ ...this.deviceParts(account), address, keys }));
    this.accounts.set(pn, account);
    return account;
  }

  private addCompanion(contact: Contact, keyIndex: number): void {
    const keys = new DeviceKeys();
    const account = contact.device().keys.identity;
    const signed = signDevice(account, keys.identity.public, { rawId: contact.device().keys.registrationId, keyIndex });
    const deviceIdentity = encodeIdentity(countersign(signed, keys.identity));
    const address = this.relay.addDevice(contact.pn, keys.publish(publishedPreKeys), deviceIdentity);
    this.addDevice(contact, new VirtualDevice({ ...this.deviceParts(contact), address, keys, deviceIdentity }));
  }

  private addDevice(account: Contact, device: VirtualDevice): void {
    account.devices.push(device);
    device.goOnline();
  }

  private deviceParts(events: Contact) {
    const { seed, report } = this.options;
    return { relay: this.relay, events, report, ...(seed === undefined ? {} : { seed }) };
  }
}

export const createDevices = (relay: Relay, options: DevicesOptions): Devices => new Devices(relay, options);

function parseablePn(pn: string): string {
  const digits = pn.includes('@') ? parseJid(pn).user : pn.replace(/\D/g, '');
  if (!/^\d{6,15}$/.test(digits)) throw new Error(`Not a phone number: ${pn}`);
  return digits;
}

export { Contact, type ContactSendOptions, type ReceiptEntry } from './contact.ts';
export type { Group } from './directory.ts';
export type { HistoryChat, PastChat } from './history.ts';
export type { InboxEntry, Log } from './inbox.ts';
export type { MediaKind, MediaOptions } from './media.ts';
export { WrongPairingCodeError } from './pairing-code.ts';
export { Phone } from './phone.ts';
export type { PreparedAccount, PrepareOptions } from './prepare.ts';
export { writeAuthFolder } from './prepare.ts';
export type { ReceiptMode } from './receipts.ts';
export type { SentMessage } from './sender.ts';
