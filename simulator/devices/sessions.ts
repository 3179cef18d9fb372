import { ProtocolAddress, type SignalStorage } from 'libsignal';
import { PreKeyWhisperMessage } from 'libsignal/src/protobufs.js';
import type { KeyPair } from './curve.ts';
import { withKeyType } from './curve.ts';
import type { DeviceKeys } from './device-keys.ts';
import type { PreKeyBundle } from './pre-key-bundle.ts';
import { createSerial } from './serial.ts';
import { copyOf, internalsOf, QuietSessionRecord, RatchetCipher } from './signal-record.ts';

export type RatchetType = 'pkmsg' | 'msg';

export interface RatchetCiphertext {
  type: RatchetType;
  ciphertext: Buffer;
}

/** The sender's identity key in the first message of a session. */
export const identityKeyOf = (pkmsg: Buffer): Buffer => PreKeyWhisperMessage.decode(pkmsg.subarray(1)).identityKey;

const pairOf = (pair: KeyPair): { privKey: Buffer; pubKey: Buffer } => ({
  privKey: Buffer.from(pair.private),
  pubKey: withKeyType(pair.public),
});

/**
 * The Signal sessions of one device, in memory, by the canonical JID of the peer's device (the caller resolves phone
 * numbers to LIDs first, so that one peer never has two ratchets).
 */
export class Sessions {
  private readonly records = new Map<string, QuietSessionRecord>();
  private readonly serial = createSerial();
  private readonly storage: SignalStorage;
  private readonly keys: DeviceKeys;
  private readonly owner: string;

  /** @param owner keeps libsignal's process-wide job queues of different devices apart */
  constructor(owner: string, keys: DeviceKeys) {
    this.owner = owner;
    this.keys = keys;
    const identity = pairOf(keys.identity);
    const signedPreKey = pairOf(keys.signedPreKey.keyPair);
    this.storage = {
      loadSession: async (id) => this.record(id),
      storeSession: async (id, record) => void this.records.set(id, record as QuietSessionRecord),
      isTrustedIdentity: () => true, // on first use, like every WhatsApp client
      loadPreKey: async (id) => {
        const pair = keys.preKey(Number(id));
        return pair && pairOf(pair);
      },
      removePreKey: (id) => keys.dropPreKey(id),
      loadSignedPreKey: () => signedPreKey,
      getOurRegistrationId: () => keys.registrationId,
      getOurIdentity: () => identity,
    };
  }

  hasOpen(peer: string): boolean {
    return this.records.get(this.address(peer).toString())?.haveOpenSession() ?? false;
  }

  /** The registration id of the peer's device as the open session knows it. */
  registrationIdOf(peer: string): number | undefined {
    return internalsOf(this.record(this.address(peer).toString())).getOpenSession()?.registrationId;
  }

  /** Opens a new session; the former one still decrypts what is under way. The bundle's signature was checked by its parser. */
  open(peer: string, bundle: PreKeyBundle): Promise<void> {
    return this.serial(() => this.cipher(peer).initOutgoing(bundle));
  }

  forget(peer: string): void {
    this.records.delete(this.address(peer).toString());
  }

  encrypt(peer: string, plaintext: Buffer): Promise<RatchetCiphertext> {
    return this.serial(async () => {
      const { type, body } = await this.cipher(peer).encrypt(plaintext);
      return { type: type === 3 ? 'pkmsg' : 'msg', ciphertext: Buffer.from(body, 'binary') };
    });
  }

  decrypt(peer: string, type: RatchetType, ciphertext: Buffer): Promise<Buffer> {
    return this.serial(() =>
      type === 'pkmsg' ? this.decryptFirst(peer, ciphertext) : this.decryptNext(peer, ciphertext),
    );
  }

  private async decryptFirst(peer: string, ciphertext: Buffer): Promise<Buffer> {
    const cipher = this.cipher(peer);
    const id = this.address(peer).toString();
    const message = PreKeyWhisperMessage.decode(ciphertext.subarray(1));
    const record = copyOf(this.record(id));
    const usedPreKeyId = await cipher.openIncoming(record, message);
    const session = internalsOf(record).getSession(message.baseKey);
    if (!session) throw new Error('The session of the first message could not be opened');
    const plaintext = await cipher.decryptWith(session, message.message);
    this.store(id, record);
    if (usedPreKeyId) this.keys.dropPreKey(usedPreKeyId);
    return plaintext;
  }

  private async decryptNext(peer: string, ciphertext: Buffer): Promise<Buffer> {
    const cipher = this.cipher(peer);
    const id = this.address(peer).toString();
    const known = this.record(id);
    let failure = new Error('No session');
    for (const index of internalsOf(known).getSessions().keys()) {
      const record = copyOf(known);
      const session = internalsOf(record).getSessions()[index];
      if (!session) continue;
      try {
        const plaintext = await cipher.decryptWith(session, ciphertext);
        session.indexInfo.used = Date.now();
        this.store(id, record);
        return plaintext;
      } catch (error) {
        // a used-up message key says more than the bad MACs of the sessions that were not meant
        if (error instanceof Error && failure.name !== 'MessageCounterError') failure = error;
      }
    }
    throw failure;
  }

  private store(id: string, record: QuietSessionRecord): void {
    record.removeOldSessions();
    this.records.set(id, record);
  }

  private record(id: string): QuietSessionRecord {
    return this.records.get(id) ?? new QuietSessionRecord();
  }

  private cipher(peer: string): RatchetCipher {
    return new RatchetCipher(this.storage, this.address(peer));
  }

  private address(peer: string): ProtocolAddress {
    // libsignal forbids dots in the name; the device number is part of the JID already
    return new ProtocolAddress(`${this.owner}>${peer.replaceAll('.', '_')}`, 0);
  }
}
