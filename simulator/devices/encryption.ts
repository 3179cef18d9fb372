import type { BinaryNode } from '@whiskeysockets/baileys';
import type { DeviceCore } from './device-core.ts';
import { serverJid } from './jids.ts';
import { child, children, node } from './nodes.ts';
import { parseBundle } from './pre-key-bundle.ts';

/** A device whose keys could not be had or were refused. */
export interface Unreachable {
  jid: string;
  error: Error;
}

export interface Encrypted {
  /** `<to jid><enc/></to>`, one a device */
  nodes: BinaryNode[];
  /** a first message is among them, which a companion vouches for with its device identity */
  opensSession: boolean;
  unreachable: Unreachable[];
}

/** Encrypts one plaintext for many devices, opening the sessions that are missing. */
export async function encryptForDevices(
  core: DeviceCore,
  devices: readonly string[],
  plaintext: Buffer,
  encAttrs: Record<string, string> = {},
): Promise<Encrypted> {
  const unreachable = await openMissingSessions(core, devices);
  const reachable = devices.filter((jid) => !unreachable.some((failed) => failed.jid === jid));
  const result: Encrypted = { nodes: [], opensSession: false, unreachable };
  for (const jid of reachable) {
    const { type, ciphertext } = await core.sessions.encrypt(await core.directory.canonical(jid), plaintext);
    result.opensSession ||= type === 'pkmsg';
    result.nodes.push(node('to', { jid }, [node('enc', { v: '2', type, ...encAttrs }, ciphertext)]));
  }
  return result;
}

/** Fetches bundles for the devices without an open session; returns those that stay without. */
async function openMissingSessions(core: DeviceCore, devices: readonly string[]): Promise<Unreachable[]> {
  const missing: string[] = [];
  for (const jid of devices) {
    if (!core.sessions.hasOpen(await core.directory.canonical(jid))) missing.push(jid);
  }
  return missing.length > 0 ? openSessions(core, missing) : [];
}

/** Opens new sessions from freshly fetched bundles. */
export async function openSessions(core: DeviceCore, devices: readonly string[]): Promise<Unreachable[]> {
  const users = devices.map((jid) => node('user', { jid }));
  const answer = await core.query({ type: 'get', xmlns: 'encrypt', to: serverJid }, [node('key', {}, users)]);
  const bundles = new Map(children(child(answer, 'list'), 'user').map((user) => [user.attrs.jid, user]));
  const unreachable: Unreachable[] = [];
  for (const jid of devices) {
    try {
      const bundle = bundles.get(jid);
      if (!bundle || child(bundle, 'error')) throw new Error(`The server has no keys of ${jid}`);
      await core.sessions.open(await core.directory.canonical(jid), parseBundle(bundle));
    } catch (error) {
      unreachable.push({ jid, error: error instanceof Error ? error : new Error(String(error)) });
    }
  }
  return unreachable;
}

/** A companion's proof of membership, wherever a first message goes. */
export const identityNodes = ({ deviceIdentity }: DeviceCore, opensSession: boolean): BinaryNode[] =>
  opensSession && deviceIdentity ? [node('device-identity', {}, deviceIdentity)] : [];
