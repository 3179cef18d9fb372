import { randomBytes } from 'node:crypto';
import { type BinaryNode, proto } from '@whiskeysockets/baileys';
import { encodeIdentity, isGenuineDevice } from '../devices/adv.ts';
import type { DeviceAddress, LinkRequest, PublishedKeys } from '../ports.ts';
import type { ClientConnection } from './client-connection.ts';
import { type Account, jidOf } from './directory.ts';
import { badRequest, IqError, notFound } from './iq-error.ts';
import { child, childBytes, node, serverStamp, streamError, unixSeconds } from './stanzas.ts';
import type { World } from './world.ts';

/*
 * A socket that registered waits here until a phone links it:
 *   server -> socket   pair-device with refs, which the client turns into QR codes one after the other
 *   phone  -> server   link(ref, signed device identity)
 *   server -> socket   pair-success with the identity, the new device's JID and LID
 *   socket -> server   pair-device-sign: the identity with its own signature
 *   server -> socket   stream error 515: log in as the new device
 * A pairing code needs a key agreement with the phone first (ports.ts); its ref leads to the same socket.
 */

interface Candidate {
  connection: ClientConnection;
  keys: PublishedKeys;
  noiseKey: Buffer;
  /** the account that the pairing code was asked for */
  codeFor?: Account;
  signing?: { id: string; resolve(reply: BinaryNode): void; reject(error: Error): void };
}

const refCount = 6;
const signTimeoutMs = 30_000;
const stages = {
  companion_hello: [
    'link_code_pairing_wrapped_companion_ephemeral_pub',
    'companion_server_auth_key_pub',
    'companion_platform_id',
    'companion_platform_display',
  ],
  primary_hello: ['link_code_pairing_wrapped_primary_ephemeral_pub', 'primary_identity_pub'],
  companion_finish: ['link_code_pairing_wrapped_key_bundle', 'companion_identity_public'],
} as const;

export class Pairings {
  private readonly candidates = new Map<number, Candidate>();
  private readonly byRef = new Map<string, Candidate>();
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  begin(connection: ClientConnection, keys: PublishedKeys, noiseKey: Buffer): void {
    const candidate: Candidate = { connection, keys, noiseKey };
    this.candidates.set(connection.id, candidate);
    const refs = Array.from({ length: refCount }, () => this.newRef(candidate));
    const attrs = { from: serverStamp, type: 'set', id: this.world.nextId(), xmlns: 'md' };
    const refNodes = refs.map((ref) => node('ref', {}, Buffer.from(ref)));
    connection.send(node('iq', attrs, [node('pair-device', {}, refNodes)]));
  }

  has(connection: ClientConnection): boolean {
    return this.candidates.has(connection.id);
  }

  closed(connection: ClientConnection): void {
    const candidate = this.candidates.get(connection.id);
    if (!candidate) return;
    this.candidates.delete(connection.id);
    for (const [ref, owner] of this.byRef) if (owner === candidate) this.byRef.delete(ref);
    candidate.signing?.reject(new Error('The socket closed before it signed its device identity'));
  }

  onStanza(connection: ClientConnection, stanza: BinaryNode): void {
    const candidate = this.candidates.get(connection.id);
    if (!candidate || stanza.tag !== 'iq') return;
    const { type, id = '', xmlns } = stanza.attrs;
    if (type === 'result' || type === 'error') {
      if (candidate.signing?.id === id) candidate.signing.resolve(stanza);
      return;
    }
    connection.send(this.answer(candidate, stanza, id, xmlns));
  }

  private answer(candidate: Candidate, iq: BinaryNode, id: string, xmlns: string | undefined): BinaryNode {
    const attrs = { from: serverStamp, id };
    try {
      if (xmlns === 'w:p' || xmlns === undefined) return node('iq', { ...attrs, type: 'result' });
      const registration = child(iq, 'link_code_companion_reg');
      if (xmlns !== 'md' || !registration) throw new IqError(401, 'not-authorized');
      return node('iq', { ...attrs, type: 'result' }, this.linkCode(candidate, registration));
    } catch (error) {
      const failure = error instanceof IqError ? error : new IqError(500, 'internal-server-error');
      return node('iq', { ...attrs, type: 'error' }, [failure.toNode()]);
    }
  }

  private linkCode(candidate: Candidate, registration: BinaryNode): BinaryNode[] {
    const { stage, jid } = registration.attrs;
    if (stage === 'companion_hello') {
      const account = jid ? this.world.directory.accountOf(jid) : undefined;
      if (!account) throw notFound();
      candidate.codeFor = account;
      const ref = this.newRef(candidate);
      this.tellPhone(account, stage, ref, registration);
      const refNode = node('link_code_pairing_ref', {}, Buffer.from(ref));
      return [node('link_code_companion_reg', { stage }, [refNode])];
    }
    if (stage !== 'companion_finish' || !candidate.codeFor) throw badRequest();
    this.tellPhone(candidate.codeFor, stage, refOf(registration), registration);
    return [];
  }

  /** The phone's half of the key agreement, on its way to the waiting socket. */
  primaryHello(from: DeviceAddress, registration: BinaryNode): void {
    const ref = refOf(registration);
    const candidate = this.byRef.get(ref);
    if (candidate?.codeFor?.pn !== from.pn) throw notFound();
    candidate.connection.send(this.notification('primary_hello', ref, registration));
  }

  async link(request: LinkRequest): Promise<DeviceAddress> {
    const candidate = this.byRef.get(request.ref);
    if (!candidate) throw new Error('No socket waits for this ref: it was closed, or the ref is not of this server');
    const account = this.world.directory.account(request.pn);
    if (!account) throw new Error(`No account ${request.pn}`);
    if (candidate.signing) throw new Error('This socket is being linked already');
    const device = account.nextDevice++;
    const address: DeviceAddress = { pn: account.pn, lid: account.lid, device };
    const reply = await this.pairSuccess(candidate, address, request.deviceIdentity);
    const identity = signedIdentity(reply, account);
    if (!identity || !isGenuineDevice(identity, candidate.keys.identityKey)) {
      candidate.connection.end('bad device signature', streamError(401));
      throw new Error('The socket did not sign its device identity properly');
    }
    const { keys, noiseKey, connection } = candidate;
    this.world.directory.addDevice(account, keys, { device, keyIndex: request.keyIndex, identity, noiseKey });
    this.world.announceDevice(address, 'add');
    connection.end('paired: restart required', streamError(515));
    return address;
  }

  private pairSuccess(candidate: Candidate, address: DeviceAddress, deviceIdentity: Uint8Array): Promise<BinaryNode> {
    const id = this.world.nextId();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('The socket did not answer pair-success')), signTimeoutMs);
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        delete candidate.signing;
        then();
      };
      candidate.signing = {
        id,
        resolve: (reply) => settle(() => resolve(reply)),
        reject: (error) => settle(() => reject(error)),
      };
      const attrs = { from: serverStamp, type: 'set', id, xmlns: 'md', t: unixSeconds() };
      const content = [
        node('device-identity', {}, Buffer.from(deviceIdentity)),
        node('platform', { name: 'android' }),
        node('device', { jid: jidOf(address, 'pn'), lid: jidOf(address, 'lid') }),
      ];
      candidate.connection.send(node('iq', attrs, [node('pair-success', {}, content)]));
    });
  }

  private tellPhone(account: Account, stage: keyof typeof stages, ref: string, registration: BinaryNode): void {
    const phone = account.devices.get(0);
    if (phone) this.world.post.deliver(phone.address, this.notification(stage, ref, registration));
  }

  private notification(stage: keyof typeof stages, ref: string, registration: BinaryNode): BinaryNode {
    const attrs = { from: serverStamp, id: this.world.nextId(), type: 'link_code_companion_reg', t: unixSeconds() };
    const fields = stages[stage].flatMap((tag) => {
      const bytes = childBytes(registration, tag);
      return bytes ? [node(tag, {}, bytes)] : [];
    });
    const refNode = node('link_code_pairing_ref', {}, Buffer.from(ref));
    return node('notification', attrs, [node('link_code_companion_reg', { stage }, [...fields, refNode])]);
  }

  private newRef(candidate: Candidate): string {
    const ref = `2@${randomBytes(48).toString('base64')}`;
    this.byRef.set(ref, candidate);
    return ref;
  }
}

function refOf(registration: BinaryNode): string {
  const ref = childBytes(registration, 'link_code_pairing_ref')?.toString();
  if (!ref) throw badRequest();
  return ref;
}

/** The identity as the device signed it, with the account's key that the reply leaves out. */
function signedIdentity(reply: BinaryNode, account: Account): Uint8Array | undefined {
  const bytes = childBytes(child(reply, 'pair-device-sign'), 'device-identity');
  const accountKey = account.devices.get(0)?.keys.identityKey;
  if (!bytes || !accountKey) return undefined;
  return encodeIdentity({ ...proto.ADVSignedDeviceIdentity.decode(bytes), accountSignatureKey: accountKey });
}
