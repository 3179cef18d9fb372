import type { PublishedKeys } from '../ports.ts';
import { generateKeyPair, generateRegistrationId, type KeyPair, sign, withKeyType } from './curve.ts';

export interface SignedPreKey {
  keyId: number;
  keyPair: KeyPair;
  signature: Buffer;
}

export interface PublicPreKey {
  keyId: number;
  publicKey: Uint8Array;
}

/** A device's own keys: identity, signed pre-key, and the one-time pre-keys that nobody has used yet. */
export class DeviceKeys {
  readonly identity: KeyPair = generateKeyPair();
  readonly registrationId = generateRegistrationId();
  readonly signedPreKey: SignedPreKey;
  private readonly preKeys = new Map<number, KeyPair>();
  private nextPreKeyId = 1;

  constructor() {
    const keyPair = generateKeyPair();
    this.signedPreKey = { keyId: 1, keyPair, signature: sign(this.identity, withKeyType(keyPair.public)) };
  }

  /** What goes to the server at registration. */
  publish(preKeyCount: number): PublishedKeys {
    const { keyId, keyPair, signature } = this.signedPreKey;
    return {
      registrationId: this.registrationId,
      identityKey: this.identity.public,
      signedPreKey: { keyId, publicKey: keyPair.public, signature },
      preKeys: this.morePreKeys(preKeyCount),
    };
  }

  morePreKeys(count: number): PublicPreKey[] {
    return Array.from({ length: count }, () => {
      const keyId = this.nextPreKeyId++;
      const keyPair = generateKeyPair();
      this.preKeys.set(keyId, keyPair);
      return { keyId, publicKey: keyPair.public };
    });
  }

  preKey(keyId: number): KeyPair | undefined {
    return this.preKeys.get(keyId);
  }

  /** A one-time pre-key opens one session, never two. */
  dropPreKey(keyId: number): void {
    this.preKeys.delete(keyId);
  }

  unusedPreKeys(): ReadonlyMap<number, KeyPair> {
    return this.preKeys;
  }
}
