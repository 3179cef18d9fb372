import type { BinaryNode, proto } from '@whiskeysockets/baileys';
import { encodeContent, sentCopy, wireOf } from './content.ts';
import type { DeviceCore } from './device-core.ts';
import { type Encrypted, encryptForDevices, identityNodes, openSessions, type Unreachable } from './encryption.ts';
import { isGroup, isLid, pnJid, toJid } from './jids.ts';
import { child, node } from './nodes.ts';
import { parseBundle } from './pre-key-bundle.ts';
import { createSerial } from './serial.ts';

export interface SendOptions {
  /** chosen by the device when left out */
  id?: string;
  /** how the account is addressed: by LID where it has one (the default), or by phone number as older clients do */
  addressing?: 'lid' | 'pn';
}

export interface SentMessage {
  id: string;
  /** account or group JID in the addressing of the wire */
  to: string;
  content: proto.IMessage;
}

const rememberedMessages = 2_000;
const resendsPerDevice = 5;

/** Encrypts and sends the messages of one device, and sends them again to whoever could not read them. */
export class Sender {
  private readonly core: DeviceCore;
  private readonly onUnreachable: (failed: Unreachable) => void;
  private readonly serial = createSerial();
  private readonly sent = new Map<string, SentMessage>();
  private readonly resends = new Map<string, number>();

  constructor(core: DeviceCore, onUnreachable: (failed: Unreachable) => void) {
    this.core = core;
    this.onUnreachable = onUnreachable;
  }

  /** Sends to an account (phone number or JID) or a group; resolves when the stanza is with the server. */
  send(
    recipient: string,
    content: proto.IMessage,
    { id = this.core.newMessageId(), addressing = 'lid' }: SendOptions = {},
  ): Promise<SentMessage> {
    return this.serial(async () => {
      const canonical = await this.core.directory.canonical(toJid(recipient));
      const to = addressing === 'pn' ? (this.core.directory.phoneNumberOf(canonical) ?? canonical) : canonical;
      const message = { id, to, content };
      this.remember(message);
      this.core.submit(await (isGroup(to) ? this.groupStanza(message) : this.directStanza(message)));
      return message;
    });
  }

  /** A message between devices of the account, such as keys and history: to one device, no copies. */
  sendPeer(device: string, content: proto.IMessage): Promise<SentMessage> {
    return this.serial(async () => {
      const message = { id: this.core.newMessageId(), to: device, content };
      const { nodes, opensSession, unreachable } = await encryptForDevices(this.core, [device], encodeContent(content));
      if (unreachable[0]) throw unreachable[0].error;
      const attrs = { id: message.id, to: device, type: 'text', category: 'peer', push_priority: 'high' };
      const enc = nodes.flatMap(({ content: inner }) => (Array.isArray(inner) ? inner : []));
      this.core.submit(node('message', attrs, [...enc, ...identityNodes(this.core, opensSession)]));
      return message;
    });
  }

  /** Answers a retry receipt: a new session from the keys in it, then the same message again to that one device. */
  resend(receipt: BinaryNode): Promise<void> {
    return this.serial(async () => {
      const { id = '', from = '', participant } = receipt.attrs;
      const message = this.sent.get(id);
      const device = participant ?? from;
      const name = `${id}|${device}`;
      const count = (this.resends.get(name) ?? 0) + 1;
      if (!message || count > resendsPerDevice) return;
      this.resends.set(name, count);
      await this.renewSession(device, receipt);
      this.core.submit(await this.resendStanza(message, device, child(receipt, 'retry')?.attrs.count ?? '1'));
    });
  }

  private async directStanza({ id, to, content }: SentMessage): Promise<BinaryNode> {
    const { core } = this;
    const own = isLid(to) ? core.accountJid : pnJid(core.address.pn);
    const accounts = to === own ? [own] : [to, own];
    const devices = (await core.directory.devicesOf(accounts)).filter((jid) => !core.isSelf(jid));
    const theirs = devices.filter((jid) => !core.isOwnAccount(jid));
    const ours = devices.filter((jid) => core.isOwnAccount(jid));
    const wire = wireOf(content);
    const [forThem, forUs] = [
      await this.encrypt(theirs, content, wire.encAttrs),
      await this.encrypt(ours, sentCopy(content, to), wire.encAttrs),
    ];
    if (to !== own && forThem.nodes.length === 0) throw new Error(`No device of ${to} can be reached`);
    return node('message', { id, to, type: wire.type, ...wire.stanzaAttrs }, [
      node('participants', {}, [...forThem.nodes, ...forUs.nodes]),
      ...identityNodes(core, forThem.opensSession || forUs.opensSession),
    ]);
  }

  private async groupStanza({ id, to, content }: SentMessage): Promise<BinaryNode> {
    const { core } = this;
    const { participants, addressingMode } = await core.directory.group(to);
    const devices = (await core.directory.devicesOf(participants)).filter((jid) => !core.isSelf(jid));
    const lacking = core.senderKeys.lacking(to, devices);
    const wire = wireOf(content);
    const { nodes, opensSession, unreachable } = await this.encrypt(lacking, this.senderKeyContent(to), wire.encAttrs);
    const given = lacking.filter((jid) => !unreachable.some((failed) => failed.jid === jid));
    core.senderKeys.markKnown(to, given);
    const ciphertext = core.senderKeys.encrypt(to, encodeContent(content));
    return node('message', { id, to, type: wire.type, addressing_mode: addressingMode, ...wire.stanzaAttrs }, [
      ...(nodes.length > 0 ? [node('participants', {}, nodes)] : []),
      node('enc', { v: '2', type: 'skmsg', ...wire.encAttrs }, ciphertext),
      ...identityNodes(core, opensSession),
    ]);
  }

  private async resendStanza({ id, to, content }: SentMessage, device: string, count: string): Promise<BinaryNode> {
    const { core } = this;
    const wire = wireOf(content);
    const own = core.isOwnAccount(device);
    const inGroup = isGroup(to) ? { ...content, ...this.senderKeyContent(to) } : content;
    const readable = own && !isGroup(to) ? sentCopy(content, to) : inGroup;
    const { nodes, opensSession, unreachable } = await encryptForDevices(core, [device], encodeContent(readable), {
      ...wire.encAttrs,
      count,
    });
    if (unreachable[0]) throw unreachable[0].error;
    const enc = nodes.flatMap(({ content: inner }) => (Array.isArray(inner) ? inner : []));
    const route: Record<string, string> = isGroup(to)
      ? { to, participant: device, addressing_mode: isLid(device) ? 'lid' : 'pn' }
      : { to: device, device_fanout: 'false', ...(own ? { recipient: to } : {}) };
    const attrs = { id, type: wire.type, ...wire.stanzaAttrs, ...route };
    return node('message', attrs, [...enc, ...identityNodes(core, opensSession)]);
  }

  private async renewSession(device: string, receipt: BinaryNode): Promise<void> {
    const keys = child(receipt, 'keys');
    const peer = await this.core.directory.canonical(device);
    if (!keys) {
      await openSessions(this.core, [device]);
      return;
    }
    const registration = child(receipt, 'registration')?.content;
    const id = registration instanceof Uint8Array ? Buffer.from(registration).readUIntBE(0, registration.length) : 0;
    await this.core.sessions.open(peer, parseBundle(keys, id));
  }

  private senderKeyContent(group: string): proto.IMessage {
    const axolotlSenderKeyDistributionMessage = this.core.senderKeys.distribution(group);
    return { senderKeyDistributionMessage: { groupId: group, axolotlSenderKeyDistributionMessage } };
  }

  private async encrypt(
    devices: readonly string[],
    content: proto.IMessage,
    encAttrs: Record<string, string>,
  ): Promise<Encrypted> {
    if (devices.length === 0) return { nodes: [], opensSession: false, unreachable: [] };
    const encrypted = await encryptForDevices(this.core, devices, encodeContent(content), encAttrs);
    encrypted.unreachable.forEach(this.onUnreachable);
    return encrypted;
  }

  private remember(message: SentMessage): void {
    this.sent.set(message.id, message);
    if (this.sent.size <= rememberedMessages) return;
    const [oldest] = this.sent.keys();
    if (oldest !== undefined) this.sent.delete(oldest);
  }
}
