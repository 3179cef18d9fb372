import type { CreateConnectionParams } from '../contracts/connections.contract.ts';
import type { ConnectionDoc } from '../storage/collections.ts';

/** The row of a connection that nobody has run yet. @param now ms since the epoch */
export function newConnectionRow(
  _id: string,
  userId: string,
  params: Omit<CreateConnectionParams, 'userId'>,
  now: number,
): ConnectionDoc {
  const { pairing, autoStart = true, name = null, deviceInfo = null, metadata = null } = params;
  const phoneNumber = pairing?.method === 'code' ? pairing.phoneNumber.replace('+', '') : null;
  return {
    _id,
    userId,
    name,
    desiredState: autoStart ? 'running' : 'stopped',
    status: 'created',
    statusReason: null,
    statusCode: null,
    restrictions: [],
    degraded: false,
    me: null,
    worker: null,
    deviceInfo,
    metadata,
    pairing: { method: pairing?.method ?? 'qr', phoneNumber },
    epoch: 0,
    generation: 0,
    outboxSeq: 0,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  };
}
