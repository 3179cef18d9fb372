import { isoTime } from '../clock.ts';
import type { Connection, ConnectionHistoryEntry, RemoteAuth } from '../contracts/entities.ts';
import { toRemoteAuth } from '../session/remote-auth.ts';
import type { ConnectionDoc, ConnectionHistoryDoc, RemoteAuthDoc } from '../storage/collections.ts';
import type { Vault } from '../storage/vault.ts';

export function connectionView(doc: ConnectionDoc): Connection {
  return {
    connectionId: doc._id,
    userId: doc.userId,
    name: doc.name,
    status: doc.status,
    statusReason: doc.statusReason,
    desiredState: doc.desiredState,
    restrictions: doc.restrictions,
    degraded: doc.degraded,
    me: doc.me,
    worker: doc.worker && { nodeId: doc.worker.nodeId, epoch: doc.worker.epoch },
    deviceInfo: doc.deviceInfo,
    metadata: doc.metadata,
    createdAt: isoTime(doc.createdAt),
    updatedAt: isoTime(doc.updatedAt),
  };
}

export function historyView(doc: ConnectionHistoryDoc): ConnectionHistoryEntry {
  return {
    status: doc.status,
    previousStatus: doc.previousStatus,
    reason: doc.reason,
    code: doc.code,
    nodeId: doc.nodeId,
    epoch: doc.epoch,
    at: isoTime(doc.at),
  };
}

/**
 * A login as the client sees it: a code is shown only while it can be used. Before the first step there is no row.
 * @param now milliseconds since the epoch
 */
export function remoteAuthView(
  connection: ConnectionDoc,
  doc: RemoteAuthDoc | null,
  vault: Vault,
  now: number,
): RemoteAuth {
  const { _id: connectionId, pairing } = connection;
  if (!doc) {
    return toRemoteAuth({ authState: 'pending', method: pairing.method, code: null, expiresAt: null }, connectionId);
  }
  const { method, expiresAt } = doc;
  const past = expiresAt !== null && expiresAt <= now;
  const authState = doc.authState === 'ready' && past ? 'expired' : doc.authState;
  const code = authState === 'ready' && doc.code ? vault.open(doc.code, doc._id).toString('utf8') : null;
  return toRemoteAuth({ authState, method, code, expiresAt }, connectionId);
}
