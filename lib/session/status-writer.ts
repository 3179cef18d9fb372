import type { Clock } from '../clock.ts';
import type { ConnectionStatus } from '../contracts/entities.ts';
import { CastellanError, isErrorType } from '../errors.ts';
import type { EventDraft, EventLog } from '../events/event-log.port.ts';
import { newId } from '../ids.ts';
import type { ConnectionDoc, ConnectionHistoryDoc } from '../storage/collections.ts';
import type { Store, Write } from '../storage/port.ts';

export interface StatusChange {
  status: ConnectionStatus;
  /** for people; null where the status says it all */
  reason: string | null;
  /** of the supervisor's table */
  code?: number | null;
  /** further fields of the row */
  row?: Partial<Omit<ConnectionDoc, '_id' | 'epoch' | 'status' | 'statusReason' | 'statusCode' | 'updatedAt'>>;
  /** what else becomes durable with it */
  writes?: readonly Write[];
  events?: readonly Omit<EventDraft, 'userId' | 'connectionId' | 'epoch'>[];
}

/** Writes a connection's row for one activation. */
export interface StatusWriter {
  /** the last status written */
  readonly status: ConnectionStatus;
  /**
   * Row, history, Event and whatever comes with them, in one atomic group, only while no later activation wrote. The
   * history gets a line and the log an Event where the status changed, not where its reason did.
   * @throws SESSION_FENCED when a later activation wrote or the connection is gone; STORE_UNAVAILABLE
   */
  write(change: StatusChange): Promise<void>;
}

export interface StatusWriterOptions {
  store: Store;
  events: EventLog;
  clock: Clock;
  connection: Pick<ConnectionDoc, '_id' | 'userId' | 'status'>;
  nodeId: string;
  epoch: number;
}

export function createStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { store, events, clock, connection, nodeId, epoch } = options;
  const { _id: connectionId, userId } = connection;
  let current = connection.status;

  function rowWrite({ status, reason, code = null, row }: StatusChange): Write {
    const fields = { status, statusReason: reason, statusCode: code, epoch, updatedAt: clock.now(), ...row };
    const filter = { _id: connectionId, epoch: { $lte: epoch } };
    return { op: 'update', collection: 'connections', filter, update: { $set: fields } };
  }

  function historyWrite({ status, reason, code = null }: StatusChange): Write {
    const doc: ConnectionHistoryDoc = {
      _id: newId('event'),
      connectionId,
      userId,
      status,
      previousStatus: current,
      reason,
      code,
      nodeId,
      epoch,
      at: clock.now(),
    };
    return { op: 'insert', collection: 'connectionHistory', doc };
  }

  function eventWrites(change: StatusChange): Write[] {
    const { status, reason, code } = change;
    const data = { status, previousStatus: current, reason, ...(code != null && { code }) };
    const own = status === current ? [] : [{ type: 'connection.status' as const, data }];
    return [...(change.events ?? []), ...own].map((draft) => events.write({ ...draft, userId, connectionId, epoch }));
  }

  return {
    get status() {
      return current;
    },
    async write(change) {
      const further = change.status === current ? [] : [historyWrite(change)];
      try {
        await store.atomically([rowWrite(change), ...further, ...(change.writes ?? []), ...eventWrites(change)]);
      } catch (cause) {
        if (!isErrorType(cause, 'CONDITION_FAILED')) throw cause;
        throw new CastellanError('SESSION_FENCED', undefined, undefined, { cause });
      }
      current = change.status;
      events.committed();
    },
  };
}
