import type { BinaryNode } from '@whiskeysockets/baileys';
import type { DecryptReport, DeviceAddress, DeviceEndpoint, Relay } from '../ports.ts';
import { DeviceCore } from './device-core.ts';
import type { DeviceKeys } from './device-keys.ts';
import type { Unreachable } from './encryption.ts';
import { serverJid, userJid } from './jids.ts';
import { child, children, node } from './nodes.ts';
import { uploadNodes } from './pre-key-bundle.ts';
import { type Envelope, type Received, Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import { createSerial } from './serial.ts';

/** What a device leaves to the account that it belongs to. */
export interface DeviceEvents {
  isKnown(device: VirtualDevice, envelope: Envelope): boolean;
  /** Resolves before the next stanza is looked at; the message is acked or receipted in here. */
  onMessage(device: VirtualDevice, received: Received): Promise<void>;
  onReceipt(device: VirtualDevice, receipt: BinaryNode): void;
  onAck(device: VirtualDevice, ack: BinaryNode): void;
  /** presence, chatstate, call */
  onSignal(device: VirtualDevice, stanza: BinaryNode): void;
  onNotification(device: VirtualDevice, notification: BinaryNode): void;
  onCompanionOnline(device: VirtualDevice, companion: DeviceAddress): void;
  onUnreachable(device: VirtualDevice, failed: Unreachable): void;
  onError(device: VirtualDevice, error: unknown): void;
}

export interface DeviceParts {
  relay: Relay;
  address: DeviceAddress;
  keys: DeviceKeys;
  deviceIdentity?: Uint8Array;
  seed?: string;
  report: (report: DecryptReport) => void;
  events: DeviceEvents;
}

const preKeysUploadedAtOnce = 30;

/**
 * One device with its own keys, whose transport is a function call. Stanzas are handled strictly in the order of their
 * arrival, as a real client does it: a ratchet message that overtakes the sender key it needs would fail.
 */
export class VirtualDevice implements DeviceEndpoint {
  readonly core: DeviceCore;
  readonly sender: Sender;
  readonly keys: DeviceKeys;
  private readonly receiver: Receiver;
  private readonly events: DeviceEvents;
  private readonly relay: Relay;
  private readonly serial = createSerial();
  private online = false;

  constructor({ relay, address, keys, deviceIdentity, seed, report, events }: DeviceParts) {
    this.relay = relay;
    this.keys = keys;
    this.events = events;
    this.core = new DeviceCore(relay, address, keys, deviceIdentity, seed);
    this.sender = new Sender(this.core, (failed) => events.onUnreachable(this, failed));
    this.receiver = new Receiver(this.core, report);
  }

  get address(): DeviceAddress {
    return this.core.address;
  }

  /** Stanzas come from now on, those that waited first. */
  goOnline(): void {
    if (this.online) return;
    this.online = true;
    this.relay.attach(this);
  }

  /** From now on the server keeps what is for this device. */
  goOffline(): void {
    if (!this.online) return;
    this.online = false;
    this.relay.detach(this.address);
  }

  deliver(stanza: BinaryNode): void {
    this.serial(() => this.handle(stanza)).catch((error: unknown) => this.events.onError(this, error));
  }

  companionOnline(companion: DeviceAddress): void {
    this.events.onCompanionOnline(this, companion);
  }

  private async handle(stanza: BinaryNode): Promise<void> {
    switch (stanza.tag) {
      case 'message':
        return this.receive(stanza);
      case 'receipt':
        this.ack(stanza);
        if (stanza.attrs.type === 'retry') await this.sender.resend(stanza);
        return this.events.onReceipt(this, stanza);
      case 'notification':
        this.ack(stanza);
        await this.notice(stanza);
        return this.events.onNotification(this, stanza);
      case 'ack':
        return this.events.onAck(this, stanza);
      case 'call':
        this.ack(stanza);
        return this.events.onSignal(this, stanza);
      case 'presence':
      case 'chatstate':
        return this.events.onSignal(this, stanza);
      default: // ib, iq and the like ask nothing of a device that is always there
    }
  }

  private async receive(stanza: BinaryNode): Promise<void> {
    const received = await this.receiver.receive(stanza, (envelope) => this.events.isKnown(this, envelope));
    // a retry receipt asks the sender; the ack tells the server that this stanza need not come again
    if (received.outcome === 'failed') this.ack(stanza);
    await this.events.onMessage(this, received);
  }

  /** Keeps what this device knows of others up to date. */
  private async notice({ attrs, content }: BinaryNode): Promise<void> {
    const { from = '', type } = attrs;
    const [change] = Array.isArray(content) ? content : [];
    if (type === 'w:gp2') this.noticeGroup(from, change);
    else if (type === 'devices' || type === 'account_sync') await this.noticeDevices(from, change);
    else if (type === 'encrypt' && from === serverJid) await this.replenishPreKeys();
    else if (type === 'encrypt' && from) this.core.sessions.forget(await this.core.directory.canonical(from));
  }

  private noticeGroup(group: string, change: BinaryNode | undefined): void {
    this.core.directory.forgetGroup(group);
    // who left must not be able to read on
    if (change?.tag === 'remove' || change?.tag === 'leave') this.core.senderKeys.rotate(group);
  }

  private async noticeDevices(from: string, change: BinaryNode | undefined): Promise<void> {
    const { directory, sessions, senderKeys, accountJid } = this.core;
    directory.forgetDevicesOf(from && from !== serverJid ? userJid(from) : accountJid);
    if (change?.tag !== 'remove') return;
    const removed = children(change, 'device').map(({ attrs }) => attrs.jid ?? '');
    const canonical = await Promise.all(removed.map((jid) => directory.canonical(jid)));
    for (const jid of canonical) sessions.forget(jid);
    senderKeys.rotateKnownTo([...removed, ...canonical]);
  }

  private async replenishPreKeys(): Promise<void> {
    const content = uploadNodes(this.keys, preKeysUploadedAtOnce);
    await this.core.query({ type: 'set', xmlns: 'encrypt', to: serverJid }, content);
  }

  ack(stanza: BinaryNode): void {
    const { id = '', from = '', type, participant, recipient } = stanza.attrs;
    const route = {
      id,
      class: stanza.tag,
      to: from,
      ...(participant ? { participant } : {}),
      ...(recipient ? { recipient } : {}),
    };
    const isMessage = stanza.tag === 'message';
    this.core.submit(node('ack', { ...route, ...(type && !isMessage ? { type } : {}) }));
  }
}

/** The ids that a receipt speaks of: its own and those of its list. */
export const receiptIds = (receipt: BinaryNode): string[] => [
  receipt.attrs.id ?? '',
  ...children(child(receipt, 'list'), 'item').map(({ attrs }) => attrs.id ?? ''),
];

export type { Envelope, Received } from './receiver.ts';
