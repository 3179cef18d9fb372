import type { BinaryNode, proto } from '@whiskeysockets/baileys';
import type { DecryptReport, DeviceAddress } from '../ports.ts';
import { editContent, reactionContent, revokeContent, summarize, textContent, unwrap } from './content.ts';
import { type DeviceEvents, type Envelope, type Received, receiptIds, type VirtualDevice } from './device.ts';
import type { Unreachable } from './encryption.ts';
import { Groups } from './groups.ts';
import { Inbox, type InboxEntry, Log } from './inbox.ts';
import { isGroup, lidJid, parseJid, pnJid, userJid } from './jids.ts';
import {
  downloadDecrypted,
  fileOf,
  type MediaKind,
  type MediaOptions,
  type MediaStore,
  mediaContent,
  uploadEncrypted,
} from './media.ts';
import { deliveryReceipt, type ReadType, type ReceiptMode, readReceipt } from './receipts.ts';
import { loseSessions, spoilSessions } from './sabotage.ts';
import type { SendOptions, SentMessage } from './sender.ts';
import { type Signals, signalsOf } from './signals.ts';

/** A receipt of somebody else (or of an own device), as one device got it. */
export interface ReceiptEntry {
  device: number;
  from: string;
  participant?: string;
  /** `delivered`, `read`, `played`, `retry`, `sender`, ... */
  type: string;
  ids: string[];
  stanza: BinaryNode;
}

export interface ContactParts {
  address: DeviceAddress;
  name: string | undefined;
  media: MediaStore;
  report: (report: DecryptReport) => void;
}

export interface ContactSendOptions extends SendOptions {
  /** number of the sending device; 0, the phone, by default */
  device?: number;
}

/** An account whose devices all live here: a person with a phone, and companions where wanted. */
export class Contact implements DeviceEvents {
  readonly pn: string;
  readonly lid: string;
  readonly jid: string;
  readonly pnJid: string;
  readonly name: string | undefined;
  readonly inbox = new Inbox('inbox');
  readonly receipts = new Log<ReceiptEntry>('receipts');
  /** presence, typing and calls of others */
  readonly signals = new Log<BinaryNode>('signals');
  /** the server's acks of what the devices sent; `error` tells a refusal */
  readonly acks = new Log<BinaryNode>('acks');
  /** what went wrong inside the devices: refused keys, unreachable devices, failed answers */
  readonly problems: unknown[] = [];
  readonly devices: VirtualDevice[] = [];
  receiptMode: ReceiptMode = 'delivered';
  protected readonly media: MediaStore;
  private readonly report: (report: DecryptReport) => void;

  constructor({ address, name, media, report }: ContactParts) {
    this.pn = address.pn;
    this.lid = address.lid;
    this.jid = lidJid(address.lid);
    this.pnJid = pnJid(address.pn);
    this.name = name;
    this.media = media;
    this.report = report;
  }

  device(number = 0): VirtualDevice {
    const device = this.devices.find(({ address }) => address.device === number);
    if (!device) throw new Error(`${this.pn} has no device ${number} here`);
    return device;
  }

  get groups(): Groups {
    return new Groups(this.device().core);
  }

  /** Typing, presence and calls to others. */
  get signal(): Signals {
    return signalsOf(this.device().core, this.name);
  }

  sendText(to: string, text: string, options?: ContactSendOptions): Promise<SentMessage> {
    return this.send(to, textContent(text), options);
  }

  /** @param chat where the message stands; `id` may be of anybody's message in it */
  react(chat: string, id: string, emoji: string, options?: ContactSendOptions): Promise<SentMessage> {
    return this.send(chat, reactionContent(this.keyOf(chat, id), emoji), options);
  }

  edit(chat: string, id: string, text: string, options?: ContactSendOptions): Promise<SentMessage> {
    return this.send(chat, editContent(this.keyOf(chat, id), text), options);
  }

  revoke(chat: string, id: string, options?: ContactSendOptions): Promise<SentMessage> {
    return this.send(chat, revokeContent(this.keyOf(chat, id)), options);
  }

  async sendMedia(
    to: string,
    kind: MediaKind,
    plain: Uint8Array,
    options: MediaOptions & ContactSendOptions = {},
  ): Promise<SentMessage> {
    return this.send(to, mediaContent(kind, await uploadEncrypted(this.media, plain, kind), options), options);
  }

  send(to: string, content: proto.IMessage, { device = 0, ...options }: ContactSendOptions = {}): Promise<SentMessage> {
    return this.device(device).sender.send(to, content, options);
  }

  /** The plaintext of a received media message. */
  downloadMedia({ message }: InboxEntry): Promise<Buffer> {
    const { file, type } = fileOf(unwrap(message));
    return downloadDecrypted(this.media, file, type);
  }

  waitForMessage(predicate: (entry: InboxEntry) => boolean, timeoutMs?: number): Promise<InboxEntry> {
    return this.inbox.waitFor(predicate, timeoutMs);
  }

  waitForReceipt(predicate: (entry: ReceiptEntry) => boolean, timeoutMs?: number): Promise<ReceiptEntry> {
    return this.receipts.waitFor(predicate, timeoutMs);
  }

  /** The server's verdict on a message of this account; its `error` attribute tells a refusal. */
  waitForAck(id: string, timeoutMs?: number): Promise<BinaryNode> {
    return this.acks.waitFor(({ attrs }) => attrs.id === id, timeoutMs);
  }

  /** The person reads these messages on the phone; unknown ids are refused. */
  markRead(ids: readonly string[], type: ReadType = 'read'): void {
    const entries = ids.map((id) => {
      const entry = this.inbox.find(0, this.inbox.byId(id).find(({ device }) => device === 0)?.from ?? '', id);
      if (!entry) throw new Error(`${this.pn} did not receive ${id}`);
      return entry;
    });
    const byAuthor = Map.groupBy(entries, ({ wire }) => `${wire.chat} ${wire.participant}`);
    for (const messages of byAuthor.values()) {
      const read = messages.map(({ id }) => id);
      const [first] = messages;
      if (first) this.device().core.submit(readReceipt(first.wire, read, type));
    }
  }

  /** From the next message of that account on, this device cannot read until the session is repaired. */
  loseSessions(account: string, device = 0): Promise<void> {
    return loseSessions(this.device(device).core, account);
  }

  /** That account cannot read the next messages of this device until the session is repaired. */
  spoilSessions(account: string, device = 0): Promise<void> {
    return spoilSessions(this.device(device).core, account);
  }

  goOnline(): void {
    for (const device of this.devices) device.goOnline();
  }

  goOffline(): void {
    for (const device of this.devices) device.goOffline();
  }

  close(): void {
    this.goOffline();
    for (const log of [this.inbox, this.receipts, this.signals, this.acks]) log.close();
  }

  isKnown(device: VirtualDevice, { author, id }: Envelope): boolean {
    return this.inbox.hasSeen(device.address.device, userJid(author), id);
  }

  async onMessage(device: VirtualDevice, received: Received): Promise<void> {
    if (received.outcome === 'failed') return;
    const { envelope, content, outcome, encType } = received;
    const summary = content && summarize(content);
    this.report({
      device: device.address,
      from: envelope.author,
      stanzaId: envelope.id,
      outcome,
      encType,
      ...(summary?.text === undefined ? {} : { text: summary.text }),
    });
    if (envelope.isPeer) {
      if (content && outcome === 'decrypted') await this.onPeerMessage(device, envelope, content);
    } else if (content && summary && outcome === 'decrypted') {
      this.inbox.add({ ...this.entryOf(device, envelope, content), ...summary });
    } else {
      const entry = this.inbox.find(device.address.device, userJid(envelope.author), envelope.id);
      if (entry) entry.count += 1;
    }
    this.receipt(device, envelope, summary?.type);
  }

  onReceipt({ address }: VirtualDevice, stanza: BinaryNode): void {
    const { from = '', participant, type = 'delivered' } = stanza.attrs;
    const entry = { device: address.device, from, type, ids: receiptIds(stanza), stanza };
    this.receipts.add(participant ? { ...entry, participant } : entry);
  }

  onAck(_device: VirtualDevice, ack: BinaryNode): void {
    this.acks.add(ack);
  }

  onSignal(_device: VirtualDevice, stanza: BinaryNode): void {
    this.signals.add(stanza);
  }

  onNotification(_device: VirtualDevice, _notification: BinaryNode): void {}

  onCompanionOnline(_device: VirtualDevice, _companion: DeviceAddress): void {}

  onUnreachable(_device: VirtualDevice, failed: Unreachable): void {
    this.problems.push(failed);
  }

  onError(_device: VirtualDevice, error: unknown): void {
    this.problems.push(error);
  }

  /** Messages between devices of the account; a contact's own companions ask for nothing. */
  protected async onPeerMessage(_device: VirtualDevice, _envelope: Envelope, _content: proto.IMessage): Promise<void> {}

  private receipt(device: VirtualDevice, envelope: Envelope, type: string | undefined): void {
    if (this.receiptMode === 'none') {
      device.ack(envelope.stanza);
      return;
    }
    device.core.submit(deliveryReceipt(envelope));
    const visible = type !== undefined && type !== 'protocol' && !envelope.fromMe && !envelope.isPeer;
    if (!visible || device.address.device !== 0 || this.receiptMode === 'delivered') return;
    device.core.submit(readReceipt(envelope.wire, [envelope.id], 'read'));
    if (this.receiptMode !== 'played' || (type !== 'audio' && type !== 'video')) return;
    device.core.submit(readReceipt(envelope.wire, [envelope.id], 'played'));
  }

  private entryOf(
    device: VirtualDevice,
    envelope: Envelope,
    content: proto.IMessage,
  ): Omit<InboxEntry, 'type' | 'text'> {
    const { id, author, chat, wire, fromMe } = envelope;
    const fromPn = device.core.directory.phoneNumberOf(author);
    return {
      id,
      from: userJid(author),
      ...(fromPn ? { fromPn } : {}),
      fromDevice: parseJid(author).device,
      fromMe,
      chat,
      wire,
      timestampMonotonic: performance.now(),
      device: device.address.device,
      count: 1,
      message: content,
    };
  }

  /** The key of a message in a chat; what this account did not receive, it wrote. */
  private keyOf(chat: string, id: string): proto.IMessageKey {
    const entry = this.inbox.byId(id)[0];
    if (!entry) return { remoteJid: chat, fromMe: true, id };
    const { fromMe, from } = entry;
    return { remoteJid: entry.chat, fromMe, id, ...(isGroup(entry.chat) ? { participant: from } : {}) };
  }
}
