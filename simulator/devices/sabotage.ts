import { withKeyType } from './curve.ts';
import type { DeviceCore } from './device-core.ts';
import { DeviceKeys } from './device-keys.ts';
import { toJid } from './jids.ts';
import type { PreKeyBundle } from './pre-key-bundle.ts';

/* Ratchets that fail on purpose, so that the ways of repair can be tested. */

/** This device forgets its sessions with an account: what comes next from there cannot be read here. */
export async function loseSessions(core: DeviceCore, account: string): Promise<void> {
  for (const jid of await peersOf(core, account)) core.sessions.forget(jid);
}

/** This device encrypts for keys that nobody has: what it sends next to the account cannot be read there. */
export async function spoilSessions(core: DeviceCore, account: string): Promise<void> {
  for (const jid of await peersOf(core, account)) await core.sessions.open(jid, strangersBundle());
}

async function peersOf(core: DeviceCore, account: string): Promise<string[]> {
  const devices = await core.directory.devicesOf([await core.directory.canonical(toJid(account))]);
  return devices.filter((jid) => !core.isSelf(jid));
}

function strangersBundle(): PreKeyBundle {
  const { registrationId, identityKey, signedPreKey } = new DeviceKeys().publish(0);
  const signature = Buffer.from(signedPreKey.signature);
  const publicKey = withKeyType(signedPreKey.publicKey);
  return {
    registrationId,
    identityKey: withKeyType(identityKey),
    signedPreKey: { keyId: signedPreKey.keyId, publicKey, signature },
    preKey: { keyId: 0xffffff, publicKey },
  };
}
