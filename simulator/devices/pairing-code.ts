import { createCipheriv, createDecipheriv, hkdfSync, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { generateKeyPair, type KeyPair, sharedSecret } from './curve.ts';

/*
 * Pairing by code. The companion shows eight letters; the phone's owner types them. Both wrap an ephemeral public key
 * under a key derived from the code and agree on a shared secret. Neither can tell a wrong code from the unwrapping
 * alone (any 32 bytes are a public key): the phone finds out when the companion's key bundle does not open.
 */

const pbkdf2Async = promisify(pbkdf2);
const iterations = 2 << 16;
const codeLength = 8;

export class WrongPairingCodeError extends Error {
  constructor() {
    super('The pairing code is wrong: the companion that asked to be linked shows another one');
    this.name = 'WrongPairingCodeError';
  }
}

/** The code as it is typed, with or without the dash, in either case. */
export function normalizeCode(typed: string): string {
  const code = typed.replace(/[\s-]/g, '').toUpperCase();
  if (!/^[A-Z0-9]+$/.test(code) || code.length !== codeLength)
    throw new Error('A pairing code has eight letters or digits');
  return code;
}

const keyOf = (code: string, salt: Buffer): Promise<Buffer> => pbkdf2Async(code, salt, iterations, 32, 'sha256');

/** salt (32), IV (16), public key under AES-256-CTR (32) */
export async function wrapPublicKey(code: string, publicKey: Uint8Array): Promise<Buffer> {
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-ctr', await keyOf(code, salt), iv);
  return Buffer.concat([salt, iv, cipher.update(publicKey), cipher.final()]);
}

export async function unwrapPublicKey(code: string, wrapped: Buffer): Promise<Buffer> {
  const salt = wrapped.subarray(0, 32);
  const decipher = createDecipheriv('aes-256-ctr', await keyOf(code, salt), wrapped.subarray(32, 48));
  return Buffer.concat([decipher.update(wrapped.subarray(48, 80)), decipher.final()]);
}

/** One attempt with one code, from the companion's hello to the secret that both share. */
export class PairingAttempt {
  private readonly ephemeral = generateKeyPair();
  private readonly code: string;
  private readonly companionEphemeral: Buffer;

  private constructor(code: string, companionEphemeral: Buffer) {
    this.code = code;
    this.companionEphemeral = companionEphemeral;
  }

  /** @param code normalised */
  static async start(code: string, wrappedCompanionEphemeral: Buffer): Promise<PairingAttempt> {
    return new PairingAttempt(code, await unwrapPublicKey(code, wrappedCompanionEphemeral));
  }

  /** For the companion: our ephemeral public key under the code. */
  hello(): Promise<Buffer> {
    return wrapPublicKey(this.code, this.ephemeral.public);
  }

  /**
   * Opens the companion's key bundle: salt (32), IV (12), AES-256-GCM over companion's identity, our identity, random.
   * @returns the secret that seals the device identity
   */
  finish(identity: KeyPair, companionIdentity: Buffer, bundle: Buffer): Buffer {
    const shared = sharedSecret(this.ephemeral, this.companionEphemeral);
    const plain = openBundle(shared, bundle);
    const [theirs, ours, random] = [plain.subarray(0, 32), plain.subarray(32, 64), plain.subarray(64, 96)];
    if (!theirs.equals(companionIdentity) || !ours.equals(identity.public)) throw new WrongPairingCodeError();
    const secret = Buffer.concat([shared, sharedSecret(identity, companionIdentity), random]);
    return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), 'adv_secret', 32));
  }
}

function openBundle(shared: Buffer, bundle: Buffer): Buffer {
  const salt = bundle.subarray(0, 32);
  const key = Buffer.from(hkdfSync('sha256', shared, salt, 'link_code_pairing_key_bundle_encryption_key', 32));
  const decipher = createDecipheriv('aes-256-gcm', key, bundle.subarray(32, 44));
  decipher.setAuthTag(bundle.subarray(-16));
  try {
    return Buffer.concat([decipher.update(bundle.subarray(44, -16)), decipher.final()]);
  } catch {
    throw new WrongPairingCodeError();
  }
}
