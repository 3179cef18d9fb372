import type { BinaryNode } from '@whiskeysockets/baileys';
import { isGenuineDevice } from './adv.ts';
import { isSignedBy, withKeyType, withoutKeyType } from './curve.ts';
import type { DeviceKeys } from './device-keys.ts';
import { child, childBytes, node, requiredBytes, requiredUint, uint } from './nodes.ts';

/** What opens a session to a device. Public keys carry the type byte, as libsignal wants them. */
export interface PreKeyBundle {
  registrationId: number;
  identityKey: Buffer;
  signedPreKey: { keyId: number; publicKey: Buffer; signature: Buffer };
  preKey: { keyId: number; publicKey: Buffer };
}

export class BadBundleError extends Error {
  constructor(reason: string) {
    super(`The pre-key bundle is refused: ${reason}`);
    this.name = 'BadBundleError';
  }
}

/**
 * Reads the keys of one device from a `<user>` of the server's answer, or from the `<keys>` of a retry receipt (whose
 * registration id stands beside it).
 * libsignal does not look at the signature of the signed pre-key (session_builder.js), so this does.
 */
export function parseBundle(keys: BinaryNode, registrationId = requiredUint(keys, 'registration')): PreKeyBundle {
  const signedPreKey = child(keys, 'skey');
  const identityKey = withKeyType(requiredBytes(keys, 'identity'));
  const publicKey = withKeyType(requiredBytes(signedPreKey, 'value'));
  const signature = requiredBytes(signedPreKey, 'signature');
  if (!isSignedBy(identityKey, publicKey, signature)) throw new BadBundleError('bad signature of the signed pre-key');
  const deviceIdentity = childBytes(keys, 'device-identity');
  if (deviceIdentity?.length && !isGenuineDevice(deviceIdentity, withoutKeyType(identityKey))) {
    throw new BadBundleError('bad device identity');
  }
  const bundle = {
    registrationId,
    identityKey,
    signedPreKey: { keyId: requiredUint(signedPreKey, 'id'), publicKey, signature },
  };
  const preKey = child(keys, 'key');
  // without a one-time pre-key left libsignal wants the field absent, which its typings do not know
  if (!preKey) return bundle as PreKeyBundle;
  return {
    ...bundle,
    preKey: { keyId: requiredUint(preKey, 'id'), publicKey: withKeyType(requiredBytes(preKey, 'value')) },
  };
}

/** Our own keys for a retry receipt, with a fresh one-time pre-key. */
export function retryKeys(keys: DeviceKeys, deviceIdentity: Uint8Array | undefined): BinaryNode {
  const [preKey] = keys.morePreKeys(1);
  return node('keys', {}, [
    node('type', {}, Buffer.from([5])),
    node('identity', {}, keys.identity.public),
    ...(preKey ? [preKeyNode(preKey.keyId, preKey.publicKey)] : []),
    signedPreKeyNode(keys),
    ...(deviceIdentity ? [node('device-identity', {}, deviceIdentity)] : []),
  ]);
}

/** `<iq>` content that uploads more one-time pre-keys. */
export const uploadNodes = (keys: DeviceKeys, count: number): BinaryNode[] => [
  node('registration', {}, uint(keys.registrationId, 4)),
  node('type', {}, Buffer.from([5])),
  node('identity', {}, keys.identity.public),
  node(
    'list',
    {},
    keys.morePreKeys(count).map(({ keyId, publicKey }) => preKeyNode(keyId, publicKey)),
  ),
  signedPreKeyNode(keys),
];

const preKeyNode = (keyId: number, publicKey: Uint8Array): BinaryNode =>
  node('key', {}, [node('id', {}, uint(keyId, 3)), node('value', {}, publicKey)]);

const signedPreKeyNode = ({ signedPreKey }: DeviceKeys): BinaryNode =>
  node('skey', {}, [
    node('id', {}, uint(signedPreKey.keyId, 3)),
    node('value', {}, signedPreKey.keyPair.public),
    node('signature', {}, signedPreKey.signature),
  ]);
