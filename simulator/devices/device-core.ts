import type { BinaryNode } from '@whiskeysockets/baileys';
import type { DeviceAddress, Relay } from '../ports.ts';
import type { DeviceKeys } from './device-keys.ts';
import { Directory } from './directory.ts';
import { createDraw, type Draw, messageId } from './ids.ts';
import { isSameAccount, lidJid, parseJid, pnJid } from './jids.ts';
import { node } from './nodes.ts';
import { SenderKeys } from './sender-keys.ts';
import { Sessions } from './sessions.ts';

/** What the parts of a virtual device share: who it is, its secrets, what it knows, and its line to the server. */
export class DeviceCore {
  readonly address: DeviceAddress;
  readonly jid: string;
  readonly pnJid: string;
  /** the account's JID */
  readonly accountJid: string;
  readonly keys: DeviceKeys;
  readonly sessions: Sessions;
  readonly senderKeys = new SenderKeys();
  readonly directory: Directory;
  /** encoded ADVSignedDeviceIdentity of a companion; a phone has none */
  readonly deviceIdentity: Uint8Array | undefined;
  readonly draw: Draw;
  private readonly relay: Relay;

  constructor(relay: Relay, address: DeviceAddress, keys: DeviceKeys, deviceIdentity?: Uint8Array, seed?: string) {
    this.relay = relay;
    this.address = address;
    this.keys = keys;
    this.deviceIdentity = deviceIdentity;
    this.jid = lidJid(address.lid, address.device);
    this.pnJid = pnJid(address.pn, address.device);
    this.accountJid = lidJid(address.lid);
    this.sessions = new Sessions(`${address.pn}:${address.device}`, keys);
    this.draw = createDraw(seed, `${address.pn}:${address.device}`);
    this.directory = new Directory((attrs, content) => this.query(attrs, content));
    this.directory.learn(this.accountJid, pnJid(address.pn));
  }

  submit(stanza: BinaryNode): void {
    this.relay.submit(this.address, stanza);
  }

  query(attrs: Record<string, string>, content: BinaryNode[]): Promise<BinaryNode> {
    return this.relay.query(this.address, node('iq', { id: this.draw(8), ...attrs }, content));
  }

  newMessageId(): string {
    return messageId(this.draw, this.address.device);
  }

  isOwnAccount(jid: string): boolean {
    return isSameAccount(jid, this.address);
  }

  isSelf(jid: string): boolean {
    return this.isOwnAccount(jid) && parseJid(jid).device === this.address.device;
  }
}
