import { isoTime } from '../clock.ts';
import type { Page } from '../contracts/entities.ts';
import type { WorkerInfo, WorkerQuery } from '../contracts/session-node.contract.ts';
import type { WorkerDoc } from '../storage/collections.ts';
import { findPage } from '../storage/page.ts';
import type { Store } from '../storage/port.ts';

/** @returns the live activations of every node, or of one. @throws BAD_REQUEST for a cursor of nobody */
export function listWorkers(store: Store, { nodeId, ...page }: WorkerQuery): Promise<Page<WorkerInfo>> {
  const filter = { status: 'live', ...(nodeId !== undefined && { nodeId }) };
  return findPage(store.collection<WorkerDoc>('workers'), filter, 'startedAt', page, toWorkerInfo);
}

function toWorkerInfo(doc: WorkerDoc): WorkerInfo {
  const { _id, connectionId, nodeId, epoch, status, startedAt, endedAt, endReason } = doc;
  const ended = endedAt === null ? null : isoTime(endedAt);
  return {
    workerId: _id,
    connectionId,
    nodeId,
    epoch,
    status,
    startedAt: isoTime(startedAt),
    endedAt: ended,
    endReason,
  };
}
