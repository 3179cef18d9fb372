import type { Clock } from '../clock.ts';
import type { Caller } from '../contracts/action.ts';
import type { CreateConnectionParams } from '../contracts/connections.contract.ts';
import type { Connection, ConnectionHistoryEntry, ConnectionStatus, Page, RemoteAuth } from '../contracts/entities.ts';
import type { PageParams } from '../contracts/params.ts';
import { found, listScope, notFound, scopeFilter } from '../contracts/scope.ts';
import { CastellanError, isErrorType } from '../errors.ts';
import type { EventLog } from '../events/event-log.port.ts';
import { newId, reservedId } from '../ids.ts';
import { authIdOf } from '../session/remote-auth.ts';
import { KEPT_WHEN_STOPPED } from '../session/wanted.ts';
import type { ConnectionDoc, ConnectionHistoryDoc, RemoteAuthDoc, UserDoc } from '../storage/collections.ts';
import { findPage } from '../storage/page.ts';
import type { Filter, Store, Update, Write } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';
import { newConnectionRow } from './connection-row.ts';
import { connectionView, historyView, remoteAuthView } from './connection-view.ts';

export interface ConnectionsDeps {
  store: Store;
  vault: Vault;
  events: EventLog;
  clock: Clock;
}

/**
 * Connections as their owners see and steer them. What a person wants is written on the row (`desiredState`,
 * `generation`), and the session-nodes act on the difference; nothing here talks to a socket. All throw NOT_FOUND for
 * what is not there, deleted or another tenant's.
 */
export interface Connections {
  /** @throws VALIDATION_ERROR when an admin names no user, NOT_FOUND when the user is not there or another one */
  create(caller: Caller, params: CreateConnectionParams, reservedUlid?: string): Promise<Connection>;
  list(caller: Caller, query: PageParams & { userId?: string; status?: ConnectionStatus }): Promise<Page<Connection>>;
  get(caller: Caller, connectionId: string): Promise<Connection>;
  history(caller: Caller, connectionId: string, page: PageParams): Promise<Page<ConnectionHistoryEntry>>;
  /** Wants it to run. One that is parked (logged out, in conflict, ...) is tried again. */
  start(caller: Caller, connectionId: string): Promise<void>;
  /** Wants it not to run. A status that says more than `stopped` (logged out, banned, ...) stays. */
  stop(caller: Caller, connectionId: string): Promise<void>;
  /** @throws WRONG_STATE when it is not supposed to run */
  restart(caller: Caller, connectionId: string): Promise<void>;
  /** Marks it deleted: it is gone for its owner at once, the session-nodes end and wipe it. @returns its last state */
  remove(caller: Caller, connectionId: string): Promise<Connection>;
  auth(caller: Caller, connectionId: string): Promise<RemoteAuth>;
  /** @returns the QR string. @throws WRONG_STATE when there is none to be scanned at the moment */
  qr(caller: Caller, connectionId: string): Promise<string>;
}

/** An actor is at work or will be by itself: wanting it to run again changes nothing. */
const ALIVE: ReadonlySet<ConnectionStatus> = new Set([
  'created',
  'connecting',
  'awaiting_pairing',
  'open',
  'reconnecting',
  'restricted',
]);

export function createConnections({ store, vault, events, clock }: ConnectionsDeps): Connections {
  const rows = store.collection<ConnectionDoc>('connections');
  const users = store.collection<UserDoc>('users');
  const auths = store.collection<RemoteAuthDoc>('remoteAuths');
  const histories = store.collection<ConnectionHistoryDoc>('connectionHistory');

  function filterOf(caller: Caller, connectionId: string): Filter {
    return { _id: connectionId, deletedAt: null, ...scopeFilter(caller) };
  }

  async function rowOf(caller: Caller, connectionId: string): Promise<ConnectionDoc> {
    return found(await rows.findOne(filterOf(caller, connectionId)));
  }

  async function ownerOf(caller: Caller, userId: string | undefined): Promise<string> {
    if (caller.role !== 'admin' && userId !== undefined && userId !== caller.userId) throw notFound();
    const owner = userId ?? (caller.role === 'admin' ? undefined : caller.userId);
    if (owner === undefined) {
      throw new CastellanError('VALIDATION_ERROR', 'With an admin key userId is required.', { fields: ['userId'] });
    }
    if (!(await users.findOne({ _id: owner }))) throw new CastellanError('NOT_FOUND', 'There is no such user.');
    return owner;
  }

  async function create(caller: Caller, params: CreateConnectionParams, reservedUlid?: string): Promise<Connection> {
    const userId = await ownerOf(caller, params.userId);
    const row = newConnectionRow(reservedId('connection', reservedUlid), userId, params, clock.now());
    try {
      await store.atomically([
        { op: 'insert', collection: 'connections', doc: row },
        historyWrite(row, 'created', null, 'Created.'),
      ]);
    } catch (error) {
      if (!isErrorType(error, 'DUPLICATE_KEY')) throw error;
      /* the same request before a crash */
      return connectionView(await rowOf(caller, row._id));
    }
    return connectionView(row);
  }

  function historyWrite(
    row: ConnectionDoc,
    status: ConnectionStatus,
    previousStatus: ConnectionStatus | null,
    reason: string,
  ): Write {
    const { _id: connectionId, userId } = row;
    const doc: ConnectionHistoryDoc = {
      _id: newId('event'),
      connectionId,
      userId,
      status,
      previousStatus,
      reason,
      code: null,
      nodeId: null,
      epoch: null,
      at: clock.now(),
    };
    return { op: 'insert', collection: 'connectionHistory', doc };
  }

  async function want(caller: Caller, connectionId: string, update: Update): Promise<void> {
    const $set = { ...update.$set, updatedAt: clock.now() };
    const { matched } = await rows.updateOne(filterOf(caller, connectionId), { ...update, $set });
    if (matched === 0) throw notFound();
  }

  async function start(caller: Caller, connectionId: string): Promise<void> {
    const { desiredState, status } = await rowOf(caller, connectionId);
    if (desiredState === 'running' && ALIVE.has(status)) return;
    await want(caller, connectionId, { $set: { desiredState: 'running' }, $inc: { generation: 1 } });
  }

  async function stop(caller: Caller, connectionId: string): Promise<void> {
    const row = await rowOf(caller, connectionId);
    await want(caller, connectionId, { $set: { desiredState: 'stopped' } });
    const changes = row.status === 'created' || !KEPT_WHEN_STOPPED.has(row.status);
    if (row.worker === null && changes) await settleAsStopped(row);
  }

  /** Nobody runs it, so nobody else will say so. The filter yields to an activation that began meanwhile. */
  async function settleAsStopped(row: ConnectionDoc): Promise<void> {
    const { _id, userId, status, epoch } = row;
    const reason = 'Stopped on request.';
    const fields = { status: 'stopped', statusReason: reason, statusCode: null, updatedAt: clock.now() };
    const data = { status: 'stopped', previousStatus: status, reason };
    try {
      await store.atomically([
        {
          op: 'update',
          collection: 'connections',
          filter: { _id, worker: null, epoch, status, desiredState: 'stopped' },
          update: { $set: fields },
        },
        historyWrite(row, 'stopped', status, reason),
        events.write({ type: 'connection.status', userId, connectionId: _id, epoch: null, data }),
      ]);
      events.committed();
    } catch (error) {
      if (!isErrorType(error, 'CONDITION_FAILED')) throw error;
    }
  }

  async function restart(caller: Caller, connectionId: string): Promise<void> {
    const { desiredState } = await rowOf(caller, connectionId);
    if (desiredState !== 'running') {
      throw new CastellanError('WRONG_STATE', 'The connection is stopped; start it instead.');
    }
    await want(caller, connectionId, { $inc: { generation: 1 } });
  }

  async function remove(caller: Caller, connectionId: string): Promise<Connection> {
    const row = await rowOf(caller, connectionId);
    const $set = { desiredState: 'stopped', deletedAt: clock.now() };
    await want(caller, connectionId, { $set, $inc: { generation: 1 } });
    return connectionView(row);
  }

  async function auth(caller: Caller, connectionId: string): Promise<RemoteAuth> {
    const row = await rowOf(caller, connectionId);
    return remoteAuthView(row, await auths.findOne({ _id: authIdOf(connectionId) }), vault, clock.now());
  }

  async function qr(caller: Caller, connectionId: string): Promise<string> {
    const view = await auth(caller, connectionId);
    if (view.qr !== undefined) return view.qr;
    const { authState, method } = view;
    throw new CastellanError('WRONG_STATE', 'There is no QR code to be scanned at the moment.', { authState, method });
  }

  return {
    create,
    async list(caller, { userId, status, ...page }) {
      const filter = { deletedAt: null, ...(status && { status }), ...listScope(caller, userId) };
      return findPage(rows, filter, 'createdAt', page, connectionView);
    },
    get: async (caller, connectionId) => connectionView(await rowOf(caller, connectionId)),
    async history(caller, connectionId, page) {
      await rowOf(caller, connectionId);
      return findPage(histories, { connectionId }, 'at', page, historyView);
    },
    start,
    stop,
    restart,
    remove,
    auth,
    qr,
  };
}
