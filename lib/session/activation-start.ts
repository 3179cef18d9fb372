import type { ConnectionStatus } from '../contracts/entities.ts';
import type { ConnectionDoc } from '../storage/collections.ts';
import type { ActorClaim, ActorDeps } from './actor.port.ts';
import { createPairingDesk, type PairingDesk } from './pairing-desk.ts';
import type { SessionActivation } from './ports.ts';
import { restrictedBy } from './restriction.ts';
import { createStatusWriter, type StatusChange, type StatusWriter } from './status-writer.ts';
import { wishOf } from './wanted.ts';
import { createWorkerRecord } from './worker-record.ts';

/** What an actor has once the session is its own. */
export interface Activated {
  activation: SessionActivation;
  writer: StatusWriter;
  desk: PairingDesk;
  worker: ReturnType<typeof createWorkerRecord>;
  /** a temporary ban goes on: nothing happens before this time, ms */
  sleepsUntil: number | null;
}

/** after these the stored login is worth nothing: a start by a person begins a new one */
const PAIRS_ANEW: ReadonlySet<ConnectionStatus> = new Set(['logged_out', 'needs_pairing']);

/**
 * Takes the session over. Nothing of the row is written yet.
 * @param bySomeone a person asked for it: a ban's end is not waited for, a dead login is replaced
 * @throws SESSION_QUARANTINED, SESSION_FENCED, STORE_UNAVAILABLE
 */
export async function activate(
  deps: ActorDeps,
  row: ConnectionDoc,
  claim: ActorClaim,
  bySomeone: boolean,
): Promise<Activated> {
  const { sessions, owner, clock } = deps;
  const { _id: connectionId, userId, sleepUntil } = row;
  const activation = await sessions.takeOver(connectionId, userId, owner, { ...claim, replayMeanwhile: true });
  claim.lease.recorded();
  const { epoch } = activation;
  const identity = { connectionId, userId, epoch };
  const writer = createStatusWriter({ ...deps, connection: row, nodeId: owner.nodeId, epoch });
  return {
    activation,
    writer,
    desk: createPairingDesk({ ...deps, owner: identity, writer }),
    worker: createWorkerRecord(identity, owner),
    sleepsUntil: !bySomeone && sleepUntil != null && sleepUntil > clock.now() ? sleepUntil : null,
  };
}

export function pairsAnew({ status }: ConnectionDoc, bySomeone: boolean): boolean {
  return bySomeone && PAIRS_ANEW.has(status);
}

/** The first words of an activation: where it runs, and that the wish which began it is served. */
export function firstWords(live: Activated, row: ConnectionDoc, bySomeone: boolean, deps: ActorDeps): StatusChange {
  const { activation, worker, sleepsUntil } = live;
  const { owner, clock } = deps;
  /* a logout is served when WhatsApp was told: whoever comes after a crash tells it */
  const served = wishOf(row) === 'logout' ? {} : { servedGeneration: row.generation };
  const cleared = bySomeone ? { ...restrictedBy(null), sleepUntil: null } : {};
  return {
    ...firstStatus(row, sleepsUntil !== null),
    row: { ...served, ...cleared, worker: { nodeId: owner.nodeId, epoch: activation.epoch } },
    writes: worker.started(clock.now()),
    events: moved(activation, owner.nodeId),
  };
}

/** The connection ran on another node before, which handed it over or fell silent. */
function moved({ before }: SessionActivation, toNode: string): NonNullable<StatusChange['events']> {
  if (!before || before.owner.nodeId === toNode) return [];
  const cause = before.released ? 'handed_over' : 'failed_over';
  return [{ type: 'connection.moved', data: { fromNode: before.owner.nodeId, toNode, cause } }];
}

function firstStatus(row: ConnectionDoc, sleeps: boolean): Pick<StatusChange, 'status' | 'reason' | 'code'> {
  const { status, statusReason: reason, statusCode: code } = row;
  if (sleeps) return { status: 'restricted', reason, code };
  if (status === 'open' || status === 'reconnecting') {
    return { status: 'reconnecting', reason: 'Taken over by another run; connecting anew.' };
  }
  return { status: 'connecting', reason: null };
}

/** The stored session cannot be read: it is left exactly as it is, for somebody who has the key. */
export async function quarantine(deps: ActorDeps, row: ConnectionDoc): Promise<void> {
  const { epoch, generation } = row;
  const writer = createStatusWriter({ ...deps, connection: row, nodeId: deps.owner.nodeId, epoch });
  await writer.write({
    status: 'quarantined',
    reason: 'The stored session cannot be decrypted or read; it was left untouched.',
    row: { servedGeneration: generation, worker: null },
  });
}
