import { isoTime } from '../clock.ts';
import type { Locks } from '../cluster/locks.port.ts';
import type { ConnectionStatus } from '../contracts/entities.ts';
import type { NodeInfo, WorkerInfo } from '../contracts/session-node.contract.ts';
import { CastellanError, isErrorType } from '../errors.ts';
import type { ConnectionDoc, WorkerDoc } from '../storage/collections.ts';
import type { Filter } from '../storage/port.ts';
import { type ActorDeps, type ActorEnd, type ActorTimings, ConnectionActor } from './actor.ts';
import { wipeConnection } from './connection-wipe.ts';
import { createLeaseKeeper, DEFAULT_LEASE_TIMINGS, type LeaseTimings } from './lease-keeper.ts';
import type { PairingCode } from './pairing-desk.ts';
import { CLAIM_LIMIT, createLimiter, REOPEN_LIMIT } from './reopen-limiter.ts';
import { createStatusWriter } from './status-writer.ts';
import { DEFAULT_SUPERVISOR_TIMINGS } from './supervisor.ts';
import { KEPT_WHEN_STOPPED, wantedOf } from './wanted.ts';
import { within } from './within.ts';

/**
 * The connections that run on this node. Every second (and whenever somebody knocks) it compares what the rows ask for
 * with what runs here and acts on the difference, so a lost knock, a crash in the middle or a store that was away only
 * delay. A connection runs here only while its lock is held; the journal fences what the lock lets through.
 */
export interface ConnectionManager {
  start(): void;
  /** Stops claiming, lets sends in flight finish, flushes, terminates and releases. Ends by itself after `drainForceMs`. */
  drain(): Promise<void>;
  /** Ends everything here at once, without a word to anybody: what a crash does, minus the process. */
  abandon(): Promise<void>;
  /** Looks at one connection and its outbox now. @returns whether it runs here afterwards */
  wake(connectionId: string): Promise<boolean>;
  /** Ends it here in the planned way; whoever reconciles next may run it. @returns whether it ran */
  release(connectionId: string): Promise<boolean>;
  /** @throws NOT_FOUND, WRONG_STATE (a login that works), NO_OWNER (runs elsewhere), OUTCOME_UNKNOWN (no code in time) */
  requestPairingCode(connectionId: string, phoneNumber: string): Promise<PairingCode>;
  /** Resolves when the row says so. @throws NOT_FOUND, NO_OWNER, OUTCOME_UNKNOWN */
  logout(connectionId: string): Promise<void>;
  /** The node that runs it. @returns null when none does */
  ownerOf(connectionId: string): Promise<string | null>;
  info(): NodeInfo;
  /** The live activations of every node. */
  workers(): Promise<WorkerInfo[]>;
}

export interface ManagerTimings extends ActorTimings, LeaseTimings {
  /** default 1,000 */
  reconcileIntervalMs: number;
  /** between two looks at every row instead of the changed ones, ms. Default 30,000 */
  fullPassIntervalMs: number;
  /** how long a connection that ended without being parked is left alone here, ms. Default 5,000 */
  cooldownMs: number;
  /** how long a caller waits for a pairing code or a logout, ms. Default 30,000 */
  commandTimeoutMs: number;
  /** when a shutdown stops being polite, ms. Default 15,000 */
  drainForceMs: number;
}

export const DEFAULT_MANAGER_TIMINGS: ManagerTimings = {
  ...DEFAULT_SUPERVISOR_TIMINGS,
  ...DEFAULT_LEASE_TIMINGS,
  drainGraceMs: 5_000,
  logoutTimeoutMs: 15_000,
  reconcileIntervalMs: 1_000,
  fullPassIntervalMs: 30_000,
  cooldownMs: 5_000,
  commandTimeoutMs: 30_000,
  drainForceMs: 15_000,
};

export interface ManagerOptions extends Omit<ActorDeps, 'reopens' | 'canary' | 'timings' | 'random'> {
  locks: Locks;
  timings?: Partial<ManagerTimings>;
  /** 0 <= x < 1; default Math.random */
  random?: () => number;
}

const PAGE = 500;
/** rows that were changed this long before the last look are looked at again: clocks of writers differ */
const CHANGE_OVERLAP_MS = 10_000;
const CANARY_EVERY_MS = 3_600_000;

export function createConnectionManager(options: ManagerOptions): ConnectionManager {
  const { store, clock, log, owner, locks, random = Math.random } = options;
  const timings = { ...DEFAULT_MANAGER_TIMINGS, ...options.timings };
  const rows = store.collection<ConnectionDoc>('connections');
  const actors = new Map<string, ConnectionActor>();
  /** being claimed, stopped or wiped at this moment: one at a time a connection */
  const busy = new Map<string, Promise<void>>();
  /** ended here, and their locks on the way out: the same holder must not claim before */
  const releasing = new Map<string, Promise<void>>();
  const leaveAloneUntil = new Map<string, number>();
  const startedAt = clock.now();
  const claims = createLimiter(CLAIM_LIMIT, clock);
  const leases = createLeaseKeeper({
    locks,
    clock,
    log,
    timings,
    holder: `${owner.nodeId}:${owner.incarnation}`,
    onLost: (connectionId) => actors.get(connectionId)?.abandon('lost'),
  });
  const actorDeps: ActorDeps = {
    ...options,
    timings,
    random,
    reopens: createLimiter(REOPEN_LIMIT, clock),
    canary: createCanary(clock),
  };
  let draining = false;
  let running = false;
  let changesSince = 0;
  let fullPassAt = Number.NEGATIVE_INFINITY;
  let cancelTick: () => void = () => {};

  /* ---- one connection ---- */

  /** Acts on the difference between what a row asks for and what runs here; one at a time a connection. */
  function settle(connectionId: string): Promise<void> {
    const before = busy.get(connectionId);
    if (before) return before;
    const work = settleOnce(connectionId)
      .catch((error: Error) => log.warn({ connectionId, cause: error.message }, 'reconcile failed; it looks again'))
      .finally(() => busy.delete(connectionId));
    busy.set(connectionId, work);
    return work;
  }

  async function settleOnce(connectionId: string): Promise<void> {
    const row = await rows.findOne({ _id: connectionId });
    if (!row || draining) return;
    const actor = actors.get(connectionId);
    const wanted = wantedOf(row);
    if (actor?.isOver) await actor.ended;
    if (wanted.kind === 'run') {
      if (!actor || actor.isOver) return run(connectionId);
      if (row.generation > actor.generation) await actor.apply(row);
      return;
    }
    if (wanted.kind === 'rest') {
      /* an actor whose row looks parked is between two tries, or parking at this moment: its own business */
      if (row.desiredState === 'running') return;
      return actor && !actor.isOver ? stop(actor) : rest(row);
    }
    if (actor && !actor.isOver) await actor.logoutAndStop();
    await wipe(connectionId);
  }

  async function run(connectionId: string): Promise<void> {
    if ((leaveAloneUntil.get(connectionId) ?? 0) > clock.monotonic()) return;
    await wait(claims.reserve());
    await releasing.get(connectionId);
    if (draining || !(await leases.claim(connectionId))) return;
    /* read again under the lock: what was seen before it may be somebody else's past */
    const row = await rows.findOne({ _id: connectionId });
    const wanted = row && wantedOf(row);
    if (draining || !row || wanted?.kind !== 'run') return leases.release(connectionId);
    leaveAloneUntil.delete(connectionId);
    const lease = { isMine: () => leases.isMine(connectionId) };
    const actor = new ConnectionActor(actorDeps, row, lease, wanted.bySomeone);
    actors.set(connectionId, actor);
    void actor.ended.then((end) => onEnded(actor, end));
    await actor.start();
  }

  function onEnded(actor: ConnectionActor, end: ActorEnd): void {
    const { connectionId } = actor;
    if (end !== 'parked' && end !== 'stopped')
      leaveAloneUntil.set(connectionId, clock.monotonic() + timings.cooldownMs);
    actors.delete(connectionId);
    const release = leases.release(connectionId).finally(() => releasing.delete(connectionId));
    releasing.set(connectionId, release);
  }

  async function stop(actor: ConnectionActor): Promise<void> {
    await actor.stop('stopped', 'Stopped on request.');
    await actor.ended;
  }

  /** Nothing runs here; if nothing runs anywhere, the row says that it is stopped. */
  async function rest(row: ConnectionDoc): Promise<void> {
    if (KEPT_WHEN_STOPPED.has(row.status)) return;
    await releasing.get(row._id);
    if (!(await leases.claim(row._id))) return;
    try {
      const writer = createStatusWriter({ ...options, connection: row, nodeId: owner.nodeId, epoch: row.epoch });
      const fields = { servedGeneration: row.generation, worker: null };
      await writer.write({ status: 'stopped', reason: 'Stopped on request.', row: fields });
    } finally {
      await leases.release(row._id);
    }
  }

  async function wipe(connectionId: string): Promise<void> {
    await releasing.get(connectionId);
    if (!(await leases.claim(connectionId))) return;
    try {
      await wipeConnection(connectionId, store, options.sessions, clock.now());
    } finally {
      await leases.release(connectionId);
    }
  }

  /* ---- all of them ---- */

  async function reconcile(): Promise<void> {
    const now = clock.now();
    if (clock.monotonic() - fullPassAt >= timings.fullPassIntervalMs) {
      await pages({ desiredState: 'running' });
      await pages({ deletedAt: { $gt: 0 } });
      for (const connectionId of actors.keys()) void settle(connectionId);
      fullPassAt = clock.monotonic();
    } else {
      await pages({ updatedAt: { $gte: changesSince - CHANGE_OVERLAP_MS } });
      for (const [connectionId, until] of leaveAloneUntil) {
        if (until > clock.monotonic()) continue;
        leaveAloneUntil.delete(connectionId);
        void settle(connectionId);
      }
    }
    changesSince = now;
  }

  async function pages(filter: Filter): Promise<void> {
    let after = '';
    for (;;) {
      const page = await rows.find({ ...filter, _id: { $gt: after } }, { sort: [['_id', 1]], limit: PAGE });
      for (const row of page) if (differs(row)) void settle(row._id);
      if (page.length < PAGE || draining) return;
      after = page.at(-1)?._id ?? after;
    }
  }

  /** A cheap look, so that a round over thousands of settled rows costs nothing more. */
  function differs(row: ConnectionDoc): boolean {
    const actor = actors.get(row._id);
    const wanted = wantedOf(row);
    if (wanted.kind === 'run') return !actor || row.generation > actor.generation;
    if (wanted.kind === 'wipe') return true;
    return row.desiredState === 'stopped' && (actor !== undefined || !KEPT_WHEN_STOPPED.has(row.status));
  }

  function tick(): void {
    if (!running) {
      running = true;
      void reconcile()
        .catch((error: Error) => log.warn({ cause: error.message }, 'reconcile failed; it looks again'))
        .finally(() => {
          running = false;
        });
    }
    cancelTick = clock.after(timings.reconcileIntervalMs, tick);
  }

  function wait(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.after(ms, resolve);
    return promise;
  }

  async function abandon(): Promise<void> {
    draining = true;
    cancelTick();
    for (const actor of actors.values()) actor.abandon('lost');
    await Promise.all([...actors.values()].map((actor) => actor.ended));
    await Promise.all(releasing.values());
    leases.stop();
  }

  async function handOverAll(): Promise<void> {
    await Promise.all(busy.values());
    await Promise.all([...actors.values()].map((actor) => actor.handOver()));
  }

  /* ---- commands ---- */

  /** Looks at a connection until what was under way before the call is over, so that the call's own change counts. */
  async function settleNow(connectionId: string): Promise<void> {
    await busy.get(connectionId);
    await settle(connectionId);
  }

  /** Writes a wish that outlives this call, and lets it take effect here. @throws CONFLICT when somebody was faster */
  async function wish(kind: 'pair' | 'logout', row: ConnectionDoc, change: Partial<ConnectionDoc>): Promise<void> {
    const { _id, generation } = row;
    const wished = { kind, generation: generation + 1 };
    const fields = { ...change, wish: wished, generation: wished.generation, updatedAt: clock.now() };
    const { matched } = await rows.updateOne({ _id, generation, deletedAt: null }, { $set: fields });
    if (matched === 0) throw new CastellanError('CONFLICT', 'Somebody else asked for something at the same time.');
    leaveAloneUntil.delete(_id);
    await settleNow(_id);
  }

  async function find(connectionId: string): Promise<ConnectionDoc> {
    const row = await rows.findOne({ _id: connectionId, deletedAt: null });
    if (!row) throw new CastellanError('NOT_FOUND');
    return row;
  }

  async function inTime<T>(answer: Promise<T>): Promise<T> {
    const unanswered = Symbol('unanswered');
    const first = await Promise.race([answer, within(clock, timings.commandTimeoutMs, answer).then(() => unanswered)]);
    if (first === unanswered) throw new CastellanError('OUTCOME_UNKNOWN');
    return answer;
  }

  return {
    start() {
      leases.start();
      tick();
    },
    async drain() {
      draining = true;
      cancelTick();
      await within(clock, timings.drainForceMs, handOverAll());
      await abandon();
    },
    abandon,
    async wake(connectionId) {
      actors.get(connectionId)?.wake();
      await settleNow(connectionId);
      return actors.has(connectionId);
    },
    async release(connectionId) {
      const actor = actors.get(connectionId);
      if (!actor) return false;
      leaveAloneUntil.set(connectionId, clock.monotonic() + timings.cooldownMs);
      await actor.handOver();
      return true;
    },
    async requestPairingCode(connectionId, phoneNumber) {
      const row = await find(connectionId);
      const { me, status } = row;
      if (me && !PAIRABLE_AGAIN.has(status))
        throw new CastellanError('WRONG_STATE', 'The connection has a login already.');
      const pairing = { method: 'code' as const, phoneNumber: phoneNumber.replace(/\D/g, '') };
      await wish('pair', row, { desiredState: 'running', pairing });
      const actor = actors.get(connectionId);
      if (!actor) throw new CastellanError('NO_OWNER');
      try {
        return await inTime(actor.pairingCode());
      } catch (error) {
        if (!isErrorType(error, 'CONNECTION_CLOSED')) throw error;
        throw new CastellanError('WRONG_STATE', 'WhatsApp gave no pairing code.', undefined, { cause: error });
      }
    },
    async logout(connectionId) {
      const row = await find(connectionId);
      if (row.status === 'logged_out') return;
      await wish('logout', row, {});
      const actor = actors.get(connectionId);
      if (actor) await inTime(actor.ended);
      if ((await find(connectionId)).status !== 'logged_out') throw new CastellanError('NO_OWNER');
    },
    async ownerOf(connectionId) {
      const holder = await leases.holderOf(connectionId);
      return holder?.slice(0, holder.lastIndexOf(':')) ?? null;
    },
    info() {
      const open = [...actors.values()].filter(({ state }) => state === 'open').length;
      return { ...owner, draining, connections: actors.size, open, startedAt: isoTime(startedAt) };
    },
    async workers() {
      const live = await store
        .collection<WorkerDoc>('workers')
        .find({ status: 'live' }, { sort: [['startedAt', -1]], limit: PAGE });
      return live.map(toWorkerInfo);
    },
  };
}

const PAIRABLE_AGAIN: ReadonlySet<ConnectionStatus> = new Set(['logged_out', 'needs_pairing']);

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

/** One connection an hour may try whether WhatsApp takes this version of the client again. */
function createCanary(clock: ManagerOptions['clock']) {
  let takenAt = Number.NEGATIVE_INFINITY;
  return {
    isFree: () => clock.monotonic() - takenAt >= CANARY_EVERY_MS,
    take: () => {
      takenAt = clock.monotonic();
    },
  };
}
