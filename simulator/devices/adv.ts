import { createHmac } from 'node:crypto';
import { proto, WA_ADV_ACCOUNT_SIG_PREFIX, WA_ADV_DEVICE_SIG_PREFIX } from '@whiskeysockets/baileys';
import { isSignedBy, type KeyPair, sign } from './curve.ts';

/*
 * ADV: how a companion device belongs to an account. The phone signs (details, companion's identity key) with the
 * account's identity key; the companion signs the same plus the account's key with its own. Both signatures travel
 * with every first message of a session, as `device-identity`.
 */

export interface DeviceDetails {
  rawId: number;
  keyIndex: number;
}

/** The phone's half: `ADVSignedDeviceIdentity` without the companion's signature. */
export function signDevice(
  account: KeyPair,
  deviceIdentityKey: Uint8Array,
  details: DeviceDetails,
): proto.IADVSignedDeviceIdentity {
  const encoded = proto.ADVDeviceIdentity.encode({
    ...details,
    timestamp: Math.floor(Date.now() / 1000),
    accountType: proto.ADVEncryptionType.E2EE,
    deviceType: proto.ADVEncryptionType.E2EE,
  }).finish();
  const message = Buffer.concat([WA_ADV_ACCOUNT_SIG_PREFIX, encoded, deviceIdentityKey]);
  return { details: encoded, accountSignatureKey: account.public, accountSignature: sign(account, message) };
}

/** The companion's half, for companions that live in this process. */
export function countersign(identity: proto.IADVSignedDeviceIdentity, device: KeyPair): proto.IADVSignedDeviceIdentity {
  return { ...identity, deviceSignature: sign(device, deviceMessage(identity, device.public)) };
}

export const encodeIdentity = (identity: proto.IADVSignedDeviceIdentity): Uint8Array =>
  proto.ADVSignedDeviceIdentity.encode(identity).finish();

/** What the phone hands to the server: the signed identity under the secret that the QR code carried. */
export function sealForCompanion(identity: proto.IADVSignedDeviceIdentity, advSecret: Uint8Array): Uint8Array {
  const details = encodeIdentity(identity);
  const hmac = createHmac('sha256', advSecret).update(details).digest();
  return proto.ADVSignedDeviceIdentityHMAC.encode({ details, hmac }).finish();
}

/** Whether account and companion both vouch for the companion's identity key. */
export function isGenuineDevice(encoded: Uint8Array, deviceIdentityKey: Uint8Array): boolean {
  const identity = proto.ADVSignedDeviceIdentity.decode(encoded);
  const { details, accountSignatureKey, accountSignature, deviceSignature } = identity;
  if (!details || !accountSignatureKey?.length || !accountSignature || !deviceSignature) return false;
  const accountMessage = Buffer.concat([WA_ADV_ACCOUNT_SIG_PREFIX, details, deviceIdentityKey]);
  return (
    isSignedBy(accountSignatureKey, accountMessage, accountSignature) &&
    isSignedBy(deviceIdentityKey, deviceMessage(identity, deviceIdentityKey), deviceSignature)
  );
}

function deviceMessage(identity: proto.IADVSignedDeviceIdentity, deviceIdentityKey: Uint8Array): Buffer {
  const { details, accountSignatureKey } = identity;
  if (!details || !accountSignatureKey) throw new Error('The device identity lacks the account signature');
  return Buffer.concat([WA_ADV_DEVICE_SIG_PREFIX, details, deviceIdentityKey, accountSignatureKey]);
}
