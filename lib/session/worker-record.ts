import type { Owner } from '../cluster/membership.port.ts';
import { newId } from '../ids.ts';
import type { WorkerDoc } from '../storage/collections.ts';
import type { Write } from '../storage/port.ts';

/** The row that says "this activation runs here": at most one live row a connection. */
export function createWorkerRecord(activation: Pick<WorkerDoc, 'connectionId' | 'userId' | 'epoch'>, owner: Owner) {
  const workerId = newId('worker');
  const { connectionId } = activation;
  return {
    started(now: number): Write[] {
      const doc: WorkerDoc = {
        _id: workerId,
        ...activation,
        nodeId: owner.nodeId,
        incarnation: owner.incarnation,
        status: 'live',
        startedAt: now,
        endedAt: null,
        endReason: null,
      };
      const superseded = { status: 'ended', endedAt: now, endReason: 'superseded' };
      const filter = { connectionId, status: 'live' };
      return [
        { op: 'update', collection: 'workers', filter, update: { $set: superseded }, expect: 'any' },
        { op: 'insert', collection: 'workers', doc },
      ];
    },
    ended(now: number, endReason: string): Write[] {
      const update = { $set: { status: 'ended', endedAt: now, endReason } };
      return [{ op: 'update', collection: 'workers', filter: { _id: workerId }, update, expect: 'any' }];
    },
  };
}
