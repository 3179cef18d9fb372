import { randomBytes } from 'node:crypto';
import { Curve, type KeyPair } from '@whiskeysockets/baileys';
import { calculateSignature, verifySignature } from 'whatsapp-rust-bridge';

/*
 * Curve25519 for virtual devices. Signatures go through the compiled code that Baileys itself uses for hashing: 0.1 ms
 * instead of the 8 ms of libsignal's JavaScript, which is what makes 1,000 pre-paired accounts and group traffic cheap.
 * `Curve.verify` of Baileys 7.0.0-rc14 ignores the verdict and accepts any signature, so it is not used here.
 */

export type { KeyPair };

const publicKeyType = Buffer.from([5]);

export const generateKeyPair = (): KeyPair => Curve.generateKeyPair();

/** X25519 of our private and their raw public key. */
export const sharedSecret = (ours: KeyPair, theirPublicKey: Uint8Array): Buffer =>
  Curve.sharedKey(ours.private, theirPublicKey);

/** A raw 32-byte key with the type byte that Signal signs and sends: 33 bytes. */
export const withKeyType = (publicKey: Uint8Array): Buffer =>
  publicKey.length === 33 ? Buffer.from(publicKey) : Buffer.concat([publicKeyType, publicKey]);

/** Without the type byte: 32 bytes. */
export const withoutKeyType = (publicKey: Uint8Array): Buffer =>
  publicKey.length === 33 ? Buffer.from(publicKey.subarray(1)) : Buffer.from(publicKey);

export const sign = (keyPair: KeyPair, message: Uint8Array): Buffer =>
  Buffer.from(calculateSignature(keyPair.private, message));

export function isSignedBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  try {
    return verifySignature(withKeyType(publicKey), message, signature);
  } catch {
    return false;
  }
}

/** 14 bits, never 0, as clients draw it. */
export const generateRegistrationId = (): number => randomBytes(2).readUInt16BE() & 0x3fff || 1;
