import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { CastellanError } from '../errors.ts';

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts what must not be readable in the store (AES-256-GCM). Sealed form: version byte, 12-byte nonce, ciphertext,
 * 16-byte tag. `context` is the additional authenticated data: a value copied to another row does not open there.
 */
export interface Vault {
  seal(plaintext: Uint8Array | string, context: string): Uint8Array;
  /** @throws SESSION_QUARANTINED when the key is wrong or a bit was flipped */
  open(sealed: Uint8Array, context: string): Buffer;
  sealJson(value: unknown, context: string): Uint8Array;
  openJson<T>(sealed: Uint8Array, context: string): T;
  /** keyed hash (HMAC-SHA-256, hex) for values that are only ever compared, such as API keys */
  keyedHash(value: string): string;
}

/** @param masterKey 32 bytes; the encryption key and the hash key are derived from it (HKDF, RFC 5869) */
export function createVault(masterKey: Uint8Array): Vault {
  const derive = (info: string) => Buffer.from(hkdfSync('sha256', masterKey, 'castellan', info, 32));
  const encryptionKey = derive('encryption');
  const hashKey = derive('keyed-hash');

  function seal(plaintext: Uint8Array | string, context: string): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', encryptionKey, nonce).setAAD(Buffer.from(context));
    const body = typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext);
    return Buffer.concat([Buffer.of(VERSION), nonce, body, cipher.final(), cipher.getAuthTag()]);
  }

  function open(sealed: Uint8Array, context: string): Buffer {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    try {
      if (bytes[0] !== VERSION) throw new Error(`unknown version ${bytes[0]}`);
      const nonce = bytes.subarray(1, 1 + NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', encryptionKey, nonce)
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(1 + NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      throw new CastellanError(
        'SESSION_QUARANTINED',
        'A stored value cannot be decrypted: the ENCRYPTION_KEY is not the one it was written with, or it was changed.',
        undefined,
        { cause },
      );
    }
  }

  return {
    seal,
    open,
    sealJson: (value, context) => seal(JSON.stringify(value), context),
    openJson: <T>(sealed: Uint8Array, context: string) => JSON.parse(open(sealed, context).toString('utf8')) as T,
    keyedHash: (value) => createHmac('sha256', hashKey).update(value).digest('hex'),
  };
}
