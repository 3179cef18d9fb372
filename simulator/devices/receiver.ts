import { createHash } from 'node:crypto';
import { type BinaryNode, proto } from '@whiskeysockets/baileys';
import type { DecryptReport } from '../ports.ts';
import { isGenuineDevice } from './adv.ts';
import { unpad } from './content.ts';
import { withoutKeyType } from './curve.ts';
import type { DeviceCore } from './device-core.ts';
import { userJid } from './jids.ts';
import { childBytes, children, node, uint, unixSeconds } from './nodes.ts';
import { retryKeys } from './pre-key-bundle.ts';
import { identityKeyOf } from './sessions.ts';

/** Who sent a message where; JIDs canonical (LID where there is one). */
export interface Envelope {
  stanza: BinaryNode;
  id: string;
  /** device JID */
  author: string;
  /** account or group JID; of a copy of an own message, the account that it went to */
  chat: string;
  /** chat and author as the stanza names them; receipts answer in the same addressing */
  wire: { chat: string; participant?: string };
  fromMe: boolean;
  isPeer: boolean;
}

export type Received =
  | { outcome: 'decrypted' | 'duplicate'; envelope: Envelope; encType: string; content: proto.IMessage | undefined }
  | { outcome: 'failed'; envelope: Envelope };

const retriesPerMessage = 5;
const rememberedCiphertexts = 20_000;

/** Decrypts what arrives at one device, and asks again for what it cannot read. */
export class Receiver {
  private readonly core: DeviceCore;
  private readonly report: (report: DecryptReport) => void;
  /** hashes of the ciphertexts that were read: the same one again is a redelivery, not a failure */
  private readonly read = new Set<string>();
  private readonly retries = new Map<string, number>();

  constructor(core: DeviceCore, report: (report: DecryptReport) => void) {
    this.core = core;
    this.report = report;
  }

  /** @param isKnown whether this message was shown before, whatever its ciphertext */
  async receive(stanza: BinaryNode, isKnown: (envelope: Envelope) => boolean): Promise<Received> {
    const envelope = await this.open(stanza);
    const parts = children(stanza, 'enc');
    // the sender key comes before the message that needs it, whatever their order in the stanza
    parts.sort((a, b) => Number(a.attrs.type === 'skmsg') - Number(b.attrs.type === 'skmsg'));
    if (parts.length === 0) return this.askAgain(envelope, '', new Error('No ciphertext for this device'));
    let content: proto.IMessage | undefined;
    let isDuplicate = isKnown(envelope);
    for (const part of parts) {
      const encType = part.attrs.type ?? '';
      try {
        const plain = await this.decryptPart(envelope, encType, part);
        if (plain !== 'redelivered') content = plain;
        else if (part === parts.at(-1)) isDuplicate = true;
      } catch (error) {
        const failure = error instanceof Error ? error : new Error(String(error));
        if (!isDuplicate) return this.askAgain(envelope, encType, failure);
        // shown already, so nothing is missing, but another ciphertext of it should have been readable
        this.report({ ...this.reportOf(envelope, encType), outcome: 'failed', error: failure.message });
      }
    }
    const encType = parts.at(-1)?.attrs.type ?? '';
    return { outcome: isDuplicate ? 'duplicate' : 'decrypted', envelope, encType, content };
  }

  reportOf({ author, id }: Envelope, encType: string): Omit<DecryptReport, 'outcome'> {
    return { device: this.core.address, from: author, stanzaId: id, encType };
  }

  private async open(stanza: BinaryNode): Promise<Envelope> {
    const { directory } = this.core;
    const { attrs } = stanza;
    const { from = '', participant, recipient, id = '' } = attrs;
    const sender = participant ?? from;
    directory.learn(
      userJid(sender),
      attrs.sender_pn ?? attrs.sender_lid ?? attrs.participant_pn ?? attrs.participant_lid,
    );
    const recipientElsewhere =
      attrs.recipient_pn ?? attrs.recipient_lid ?? attrs.peer_recipient_pn ?? attrs.peer_recipient_lid;
    if (recipient) directory.learn(userJid(recipient), recipientElsewhere);
    const author = await directory.canonical(sender);
    const fromMe = this.core.isOwnAccount(author);
    const chat = participant ? from : userJid(await directory.canonical(fromMe && recipient ? recipient : from));
    const wire = participant ? { chat: from, participant } : { chat: userJid(from) };
    return { stanza, id, author, chat, wire, fromMe, isPeer: attrs.category === 'peer' };
  }

  private async decryptPart(
    envelope: Envelope,
    type: string,
    part: BinaryNode,
  ): Promise<proto.IMessage | 'redelivered'> {
    if (!(part.content instanceof Uint8Array)) throw new Error('No ciphertext for this device');
    const ciphertext = Buffer.from(part.content);
    const hash = createHash('sha256').update(ciphertext).digest('base64');
    if (this.read.has(hash)) return 'redelivered';
    const content = proto.Message.decode(unpad(await this.decrypt(envelope, type, ciphertext)));
    this.rememberCiphertext(hash);
    const distribution = (content.deviceSentMessage?.message ?? content).senderKeyDistributionMessage;
    if (distribution?.groupId && distribution.axolotlSenderKeyDistributionMessage) {
      this.core.senderKeys.accept(
        distribution.groupId,
        envelope.author,
        distribution.axolotlSenderKeyDistributionMessage,
      );
    }
    return content;
  }

  private decrypt({ author, chat, stanza }: Envelope, type: string, ciphertext: Buffer): Promise<Buffer> | Buffer {
    if (type === 'skmsg') return this.core.senderKeys.decrypt(chat, author, ciphertext);
    if (type !== 'pkmsg' && type !== 'msg') throw new Error(`Unknown ciphertext type ${type}`);
    const identity = childBytes(stanza, 'device-identity');
    if (type === 'pkmsg' && identity && !isGenuineDevice(identity, withoutKeyType(identityKeyOf(ciphertext)))) {
      throw new Error('The device identity is not signed by its account and device');
    }
    return this.core.sessions.decrypt(author, type, ciphertext);
  }

  private askAgain(envelope: Envelope, encType: string, error: Error): Received {
    const failure = { ...this.reportOf(envelope, encType), error: error.message };
    this.report({ ...failure, outcome: 'failed' });
    const name = `${envelope.author}|${envelope.id}`;
    const count = (this.retries.get(name) ?? 0) + 1;
    if (count <= retriesPerMessage) {
      this.retries.set(name, count);
      this.core.submit(this.retryReceipt(envelope.stanza, count));
      this.report({ ...failure, outcome: 'retry-sent' });
    }
    return { outcome: 'failed', envelope };
  }

  private retryReceipt({ attrs }: BinaryNode, count: number): BinaryNode {
    const { id = '', from = '', participant, recipient, t = unixSeconds() } = attrs;
    const { keys, deviceIdentity } = this.core;
    const route = {
      id,
      to: from,
      type: 'retry',
      ...(participant ? { participant } : {}),
      ...(recipient ? { recipient } : {}),
    };
    return node('receipt', route, [
      node('retry', { count: count.toString(), id, t, v: '1', error: '0' }),
      node('registration', {}, uint(keys.registrationId, 4)),
      retryKeys(keys, deviceIdentity),
    ]);
  }

  private rememberCiphertext(hash: string): void {
    this.read.add(hash);
    if (this.read.size <= rememberedCiphertexts) return;
    const [oldest] = this.read;
    if (oldest !== undefined) this.read.delete(oldest);
  }
}
