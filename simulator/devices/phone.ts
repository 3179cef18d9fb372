import type { BinaryNode, proto } from '@whiskeysockets/baileys';
import type { DeviceAddress, Relay } from '../ports.ts';
import { sealForCompanion, signDevice } from './adv.ts';
import { AppStateKeys } from './app-state-keys.ts';
import { Contact, type ContactParts, type ContactSendOptions } from './contact.ts';
import { unwrap } from './content.ts';
import type { Envelope, Received, VirtualDevice } from './device.ts';
import { historyNotification, type PastChat, PhoneHistory, pastChat } from './history.ts';
import { isGroup, lidJid, pnJid, serverJid, toJid } from './jids.ts';
import { LinkCodes } from './link-codes.ts';
import { node } from './nodes.ts';
import { answerPeer } from './peer-data.ts';
import { parseQr } from './qr.ts';
import type { SentMessage } from './sender.ts';

/**
 * The primary device of an account. Links companions (by QR code or pairing code), hands a new one the account's keys
 * and history, answers its questions, gets copies of what it sends.
 */
export class Phone extends Contact {
  readonly history = new PhoneHistory();
  readonly appStateKeys = new AppStateKeys();
  /** device numbers of the companions that this phone linked */
  readonly companions = new Set<number>();
  private readonly relay: Relay;
  private readonly linkCodes: LinkCodes;
  private readonly synced = new Set<number>();
  private nextKeyIndex = 1;

  constructor(relay: Relay, parts: ContactParts) {
    super(parts);
    this.relay = relay;
    this.linkCodes = new LinkCodes(() => this.device());
  }

  /** Points the camera at a QR code. Resolves when the companion confirmed. */
  async scanQr(qr: string): Promise<DeviceAddress> {
    const { ref, identityKey, advSecret } = parseQr(qr);
    return this.link(ref, identityKey, advSecret);
  }

  /**
   * Types the code that a companion shows. Waits up to `timeoutMs` for the companion's request to be there.
   * Throws `WrongPairingCodeError` where the code is another one; the request stays open for a second attempt.
   */
  async enterPairingCode(code: string, { timeoutMs = 20_000 } = {}): Promise<DeviceAddress> {
    const { ref, identityKey, advSecret } = await this.linkCodes.agree(code, this.device().keys.identity, timeoutMs);
    return this.link(ref, identityKey, advSecret);
  }

  /** Logs a linked device out, as the list of linked devices on the phone does. */
  async removeCompanion(device: number): Promise<void> {
    const attrs = { jid: pnJid(this.pn, device), reason: 'user_initiated' };
    const to = { type: 'set', xmlns: 'md', to: serverJid };
    await this.device().core.query(to, [node('remove-companion-device', attrs)]);
    this.companions.delete(device);
    this.device().core.directory.forgetDevicesOf(this.jid);
  }

  /** A chat that the phone has had before any companion is linked. */
  async addHistory(past: PastChat): Promise<void> {
    const { core } = this.device();
    const jid = await core.directory.canonical(toJid(past.with));
    const pn = isGroup(jid) ? undefined : core.directory.phoneNumberOf(jid);
    this.history.add(pastChat(past, jid, pn, () => core.newMessageId()));
  }

  /** Sends keys and history again; the first login of a companion does it by itself. */
  async syncCompanion(device: number): Promise<void> {
    this.synced.add(device);
    const companion = lidJid(this.lid, device);
    const { sender } = this.device();
    await sender.sendPeer(companion, this.appStateKeys.share());
    for (const [index, sync] of this.history.initialSync().entries()) {
      await sender.sendPeer(companion, await historyNotification(this.media, sync, index + 1));
    }
  }

  override close(): void {
    super.close();
    this.linkCodes.close();
  }

  override async send(to: string, content: proto.IMessage, options?: ContactSendOptions): Promise<SentMessage> {
    const sent = await super.send(to, content, options);
    this.remember(sent.to, { remoteJid: sent.to, fromMe: true, id: sent.id }, content);
    return sent;
  }

  override async onMessage(device: VirtualDevice, received: Received): Promise<void> {
    await super.onMessage(device, received);
    if (received.outcome !== 'decrypted' || received.envelope.isPeer || !received.content) return;
    const { chat, fromMe, id, author, stanza } = received.envelope;
    const participant = stanza.attrs.participant ? { participant: author } : {};
    this.remember(chat, { remoteJid: chat, fromMe, id, ...participant }, unwrap(received.content));
  }

  override onNotification(_device: VirtualDevice, notification: BinaryNode): void {
    if (notification.attrs.type === 'link_code_companion_reg') this.linkCodes.notice(notification);
  }

  override onCompanionOnline(device: VirtualDevice, companion: DeviceAddress): void {
    if (!this.companions.has(companion.device) || this.synced.has(companion.device)) return;
    this.syncCompanion(companion.device).catch((error: unknown) => this.onError(device, error));
  }

  protected override async onPeerMessage(
    device: VirtualDevice,
    { id, author }: Envelope,
    content: proto.IMessage,
  ): Promise<void> {
    const { appStateKeys, history, media } = this;
    // Baileys wraps even what it asks its own phone as a copy of something sent
    const answers = await answerPeer({ appStateKeys, history, media }, id, unwrap(content));
    for (const answer of answers) await device.sender.sendPeer(author, answer);
  }

  private async link(ref: string, identityKey: Buffer, advSecret: Buffer): Promise<DeviceAddress> {
    const keyIndex = this.nextKeyIndex++;
    const rawId = this.device().keys.registrationId;
    const signed = signDevice(this.device().keys.identity, identityKey, { rawId, keyIndex });
    const companion = await this.relay.link({
      ref,
      deviceIdentity: sealForCompanion(signed, advSecret),
      keyIndex,
      pn: this.pn,
    });
    this.adopt(companion.device);
    return companion;
  }

  /** Counts a device that was linked elsewhere (in bulk) as a companion of this phone. */
  adopt(device: number, { synced = false } = {}): void {
    this.companions.add(device);
    if (synced) this.synced.add(device);
    this.device().core.directory.forgetDevicesOf(this.jid);
  }

  private remember(chat: string, key: proto.IMessageKey, message: proto.IMessage): void {
    this.history.record(chat, {
      key,
      message,
      messageTimestamp: Math.floor(Date.now() / 1000),
      pushName: this.name ?? null,
    });
  }
}
