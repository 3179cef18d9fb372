import { isoTime } from '../clock.ts';
import type { AuthState, PairingMethod, RemoteAuth } from '../contracts/entities.ts';
import { siblingId } from '../ids.ts';
import type { Write } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';

export interface AuthStep {
  authState: AuthState;
  method: PairingMethod;
  /** the QR string or the pairing code: a login, so it is sealed */
  code: string | null;
  /** ms since the epoch */
  expiresAt: number | null;
}

export interface AuthOwner {
  connectionId: string;
  userId: string;
  epoch: number;
}

/** @returns the id of a connection's RemoteAuth: one a connection */
export function authIdOf(connectionId: string): string {
  return siblingId('auth', connectionId);
}

/** The write that keeps a step of a login; its code opens with the authId as context. */
export function authWrite(step: AuthStep, owner: AuthOwner, vault: Vault, now: number): Write {
  const _id = authIdOf(owner.connectionId);
  const { authState, method, expiresAt } = step;
  const code = step.code === null ? null : vault.seal(step.code, _id);
  const update = { $set: { ...owner, authState, method, code, expiresAt, updatedAt: now } };
  return { op: 'update', collection: 'remoteAuths', filter: { _id }, update, upsert: true };
}

/** @returns the step as the API and its events show it */
export function toRemoteAuth({ authState, method, code, expiresAt }: AuthStep, connectionId: string): RemoteAuth {
  return {
    authId: authIdOf(connectionId),
    connectionId,
    authState,
    method,
    ...(code !== null && (method === 'qr' ? { qr: code } : { pairingCode: code })),
    expiresAt: expiresAt === null ? null : isoTime(expiresAt),
  };
}
