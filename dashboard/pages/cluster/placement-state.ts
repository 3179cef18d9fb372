import type { CastellanEvent } from '../../../lib/contracts/entities.ts';

/** One activation of a connection on a node, as `GET /cluster/workers` shows it. */
export interface WorkerRow {
  workerId: string;
  connectionId: string;
  nodeId: string;
  epoch: number;
  status: string;
  startedAt: string;
}

/** Something that changed where a connection runs, or whether it does. */
export interface Movement {
  eventId: string;
  at: string;
  connectionId: string;
  kind: 'move' | 'takeover' | 'up' | 'down';
  text: string;
}

interface MovedData {
  fromNode: string | null;
  toNode: string | null;
  cause: string;
}

const KEEP = 200;
const UP = 'open';

/** The words of people for why a connection moved. Others are shown as they are. */
const CAUSES: Readonly<Record<string, string>> = {
  drain: 'the node is drained',
  shutdown: 'the node shut down',
  rebalance: 'to balance the load',
  crash: 'the node was lost',
  'node-lost': 'the node was lost',
  takeover: 'the node was lost',
  restart: 'the node restarted',
};

/** @returns what an event says about placement, or null where it says nothing */
export function movementOf(event: CastellanEvent): Movement | null {
  const { eventId, occurredAt: at, connectionId } = event;
  if (connectionId === null) return null;
  if (event.type === 'connection.moved') {
    const { fromNode, toNode, cause } = event.data as MovedData;
    const why = Object.hasOwn(CAUSES, cause) ? CAUSES[cause] : cause;
    const text = `${fromNode ?? 'no node'} → ${toNode ?? 'no node'}${why ? `: ${why}` : ''}`;
    return { eventId, at, connectionId, kind: isTakeover(cause) ? 'takeover' : 'move', text };
  }
  if (event.type !== 'connection.status') return null;
  const { status, previousStatus, reason } = event.data as {
    status: string;
    previousStatus: string | null;
    reason: string | null;
  };
  if (status !== UP && previousStatus !== UP) return null;
  const text = [previousStatus ? `${previousStatus} → ${status}` : status, reason].filter(Boolean).join(': ');
  return { eventId, at, connectionId, kind: status === UP ? 'up' : 'down', text };
}

/** @returns the movements, newest first, with one more; each event once */
export function addMovement(movements: readonly Movement[], movement: Movement): readonly Movement[] {
  if (movements.some(({ eventId }) => eventId === movement.eventId)) return movements;
  return [movement, ...movements].slice(0, KEEP);
}

/**
 * @returns the workers after an event. A later activation (`epoch`) of a connection means that a new worker runs it;
 * which node that is only a move tells, so `stale` asks for the list to be read again otherwise
 */
export function applyToWorkers(
  workers: readonly WorkerRow[],
  event: CastellanEvent,
): { workers: readonly WorkerRow[]; stale: boolean } {
  if (event.type !== 'connection.moved' && event.type !== 'connection.status') return { workers, stale: false };
  const index = workers.findIndex(({ connectionId }) => connectionId === event.connectionId);
  const known = workers[index];
  if (!known) return { workers, stale: true };
  const epoch = event.epoch ?? known.epoch;
  if (event.type === 'connection.moved') {
    const { toNode } = event.data as MovedData;
    if (toNode === null) return { workers: workers.toSpliced(index, 1), stale: true };
    return { workers: workers.with(index, { ...known, nodeId: toNode, epoch }), stale: true };
  }
  const { status } = event.data as { status: string };
  return { workers, stale: epoch > known.epoch || status !== UP };
}

function isTakeover(cause: string): boolean {
  return ['crash', 'node-lost', 'takeover'].includes(cause);
}
