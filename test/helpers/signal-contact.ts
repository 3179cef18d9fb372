import {
  type AuthenticationCreds,
  addTransactionCapability,
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  generateSignalPubKey,
  initAuthCreds,
  type SignalDataSet,
  type SignalKeyStore,
  type SignalRepositoryWithLIDStore,
} from '@whiskeysockets/baileys';
import { silentLog } from '../../lib/log.ts';
import { createBaileysLog } from '../../lib/session/baileys/baileys-log.ts';

export const quietLog = createBaileysLog(silentLog);

const padded = (text: string) => Buffer.concat([Buffer.from(text), Buffer.of(1)]);
const unpadded = (bytes: Uint8Array) => Buffer.from(bytes).subarray(0, -1).toString();

export interface Encrypted {
  type: 'msg' | 'pkmsg';
  ciphertext: Uint8Array;
}

/** A perfect contact: Baileys' own Signal repository over memory, one call after the other. */
export class SignalContact {
  readonly jid: string;
  readonly repository: SignalRepositoryWithLIDStore;
  private readonly creds: AuthenticationCreds = initAuthCreds();
  private readonly values = new Map<string, unknown>();
  private queue: Promise<unknown> = Promise.resolve();

  constructor(jid: string) {
    this.jid = jid;
    const store: SignalKeyStore = {
      get: (type, ids) =>
        Object.fromEntries(
          ids.flatMap((id) => (this.values.has(`${type}/${id}`) ? [[id, this.values.get(`${type}/${id}`)]] : [])),
        ) as never,
      set: (data) => this.store(data),
    };
    const keys = addTransactionCapability(store, quietLog, { maxCommitRetries: 1, delayBetweenTriesMs: 0 });
    this.repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds: this.creds, keys }, quietLog);
  }

  /** What others need for a first message; every bundle has a one-time pre-key of its own. */
  bundle(preKeyId: number) {
    const preKey = Curve.generateKeyPair();
    this.store({ 'pre-key': { [preKeyId]: preKey } });
    const { signedPreKey, signedIdentityKey, registrationId } = this.creds;
    return {
      registrationId,
      identityKey: generateSignalPubKey(signedIdentityKey.public),
      signedPreKey: {
        keyId: signedPreKey.keyId,
        publicKey: generateSignalPubKey(signedPreKey.keyPair.public),
        signature: signedPreKey.signature,
      },
      preKey: { keyId: preKeyId, publicKey: generateSignalPubKey(preKey.public) },
    };
  }

  encrypt(to: string, text: string): Promise<Encrypted> {
    return this.inTurn(() => this.repository.encryptMessage({ jid: to, data: padded(text) }));
  }

  decrypt(from: string, message: Encrypted): Promise<string> {
    return this.inTurn(async () => unpadded(await this.repository.decryptMessage({ jid: from, ...message })));
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.queue.then(work);
    this.queue = result.catch(() => {});
    return result;
  }

  private store(data: SignalDataSet): void {
    for (const [type, values] of Object.entries(data)) {
      for (const [id, value] of Object.entries(values)) this.values.set(`${type}/${id}`, value ?? undefined);
    }
  }
}

export { padded, unpadded };
