import { createHash } from 'node:crypto';
import type { BinaryNode, proto } from '@whiskeysockets/baileys';
import { isSignedBy, withKeyType } from '../devices/curve.ts';
import { child, childBytes, children, node, uint } from '../devices/nodes.ts';
import type { PublishedKeys } from '../ports.ts';
import type { Device } from './directory.ts';
import { badRequest } from './iq-error.ts';

/*
 * Public keys on the wire. Widths are fixed by the protocol: registration id 4 bytes, key ids 3, keys 32, signature 64;
 * other clients than Baileys rely on them.
 */

const curveKeyType = Buffer.from([5]);

type SignedPreKey = PublishedKeys['signedPreKey'];
type PreKey = PublishedKeys['preKeys'][number];

function sized(bytes: Uint8Array | null | undefined, width: number, what: string): Buffer {
  if (bytes?.length !== width) throw badRequest(`${what} must have ${width} bytes`);
  return Buffer.from(bytes);
}

const number = (bytes: Uint8Array | null | undefined, width: number, what: string): number =>
  sized(bytes, width, what).readUIntBE(0, width);

/** Refuses a signed pre-key that the identity did not sign. */
export function assertSigned(identityKey: Uint8Array, { publicKey, signature }: SignedPreKey): void {
  if (!isSignedBy(identityKey, withKeyType(publicKey), signature))
    throw badRequest('bad signature of the signed pre-key');
}

/** The keys of a registration payload; one-time pre-keys come later, by upload. */
export function keysOfRegistration(data: proto.ClientPayload.IDevicePairingRegistrationData): PublishedKeys {
  const identityKey = sized(data.eIdent, 32, 'identity');
  const signedPreKey = {
    keyId: number(data.eSkeyId, 3, 'signed pre-key id'),
    publicKey: sized(data.eSkeyVal, 32, 'signed pre-key'),
    signature: sized(data.eSkeySig, 64, 'signature'),
  };
  assertSigned(identityKey, signedPreKey);
  return { registrationId: number(data.eRegid, 4, 'registration id'), identityKey, signedPreKey, preKeys: [] };
}

export function readSignedPreKey(parent: BinaryNode): SignedPreKey {
  const skey = child(parent, 'skey');
  return {
    keyId: number(childBytes(skey, 'id'), 3, 'signed pre-key id'),
    publicKey: sized(childBytes(skey, 'value'), 32, 'signed pre-key'),
    signature: sized(childBytes(skey, 'signature'), 64, 'signature'),
  };
}

/** An upload: identity, signed pre-key and one-time pre-keys. */
export function readUpload(iq: BinaryNode): PublishedKeys {
  const identityKey = sized(childBytes(iq, 'identity'), 32, 'identity');
  const signedPreKey = readSignedPreKey(iq);
  assertSigned(identityKey, signedPreKey);
  const preKeys = children(child(iq, 'list'), 'key').map((key) => ({
    keyId: number(childBytes(key, 'id'), 3, 'pre-key id'),
    publicKey: sized(childBytes(key, 'value'), 32, 'pre-key'),
  }));
  const registrationId = number(childBytes(iq, 'registration'), 4, 'registration id');
  return { registrationId, identityKey, signedPreKey, preKeys };
}

const signedPreKeyNode = ({ keyId, publicKey, signature }: SignedPreKey): BinaryNode =>
  node('skey', {}, [
    node('id', {}, uint(keyId, 3)),
    node('value', {}, Buffer.from(publicKey)),
    node('signature', {}, Buffer.from(signature)),
  ]);

const preKeyNode = ({ keyId, publicKey }: PreKey): BinaryNode =>
  node('key', {}, [node('id', {}, uint(keyId, 3)), node('value', {}, Buffer.from(publicKey))]);

/** What opens a session with the device; a one-time pre-key is handed out once. */
export function bundleNodes(device: Device): BinaryNode[] {
  const { keys, identity } = device;
  const preKey = keys.preKeys.shift();
  return [
    node('registration', {}, uint(keys.registrationId, 4)),
    node('type', {}, curveKeyType),
    node('identity', {}, Buffer.from(keys.identityKey)),
    signedPreKeyNode(keys.signedPreKey),
    ...(preKey ? [preKeyNode(preKey)] : []),
    ...(identity ? [node('device-identity', {}, Buffer.from(identity))] : []),
  ];
}

/** The server's view of the client's own keys, to be compared by the client. */
export function digestNode({ keys }: Device): BinaryNode {
  const { registrationId, identityKey, signedPreKey, preKeys } = keys;
  const hash = createHash('sha1').update(identityKey).update(signedPreKey.publicKey).update(signedPreKey.signature);
  for (const { publicKey } of preKeys) hash.update(publicKey);
  return node('digest', {}, [
    node('registration', {}, uint(registrationId, 4)),
    node('type', {}, curveKeyType),
    node('identity', {}, Buffer.from(identityKey)),
    signedPreKeyNode(signedPreKey),
    node(
      'list',
      {},
      preKeys.map(({ keyId }) => node('id', {}, uint(keyId, 3))),
    ),
    node('hash', {}, hash.digest()),
  ]);
}
