import type { ConnectionDoc } from '../storage/collections.ts';
import type { ActorDeps, ActorEnd } from './actor.port.ts';
import { ConnectionActor } from './actor.ts';
import type { ManagerOptions, ManagerTimings } from './connection-manager.port.ts';
import { wipeConnection } from './connection-wipe.ts';
import { createLeaseKeeper, type LeaseKeeper } from './lease-keeper.ts';
import { CLAIM_LIMIT, createLimiter, REOPEN_LIMIT } from './reopen-limiter.ts';
import { createStatusWriter } from './status-writer.ts';
import { KEPT_WHEN_STOPPED, wantedOf } from './wanted.ts';
import { within } from './within.ts';

/** What runs on this node, and the only way by which it begins and ends. One thing at a time happens to a connection. */
export interface Residents {
  readonly actors: ReadonlyMap<string, ConnectionActor>;
  readonly leases: LeaseKeeper;
  readonly isDraining: boolean;
  /** Acts on the difference between what a row asks for and what runs here. Never rejects: the next round looks again. */
  settle(connectionId: string): Promise<void>;
  /** The same, after what is under way: a change that was written before the call counts. */
  settleNow(connectionId: string): Promise<void>;
  /** A cheap look, so that a round over thousands of settled rows costs nothing more. */
  differs(row: ConnectionDoc): boolean;
  /** Settles those that were left alone for long enough. */
  settleRested(): void;
  leaveAlone(connectionId: string): void;
  /** Somebody asks: a connection that was left alone may run. */
  forgive(connectionId: string): void;
  /** since when this node stands aside, ms; null while it does not */
  readonly asideSince: number | null;
  /** Runs nothing any more, until it is asked back; what is stopped or deleted is still seen to. Begins at once. */
  standAside(): void;
  comeBack(): void;
  /** Begins nothing any more, and hands everything over. */
  drain(): Promise<void>;
  /** Ends everything at once. */
  abandon(): Promise<void>;
}

const CANARY_EVERY_MS = 3_600_000;
/** an actor that is abandoned while its store is silent is not waited for longer */
const ABANDON_TIMEOUT_MS = 2_000;

export function createResidents(options: ManagerOptions, timings: ManagerTimings): Residents {
  const { store, clock, log, owner, locks, random = Math.random } = options;
  const rows = store.collection<ConnectionDoc>('connections');
  const actors = new Map<string, ConnectionActor>();
  /** being claimed, stopped or wiped at this moment: one at a time a connection */
  const busy = new Map<string, Promise<void>>();
  /** ended here, and their locks on the way out: the same holder must not claim before */
  const releasing = new Map<string, Promise<void>>();
  const leaveAloneUntil = new Map<string, number>();
  const claims = createLimiter(CLAIM_LIMIT, clock);
  const drainBegan = Promise.withResolvers<void>();
  let draining = false;
  let asideSince: number | null = null;
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
    if (asideSince !== null || (leaveAloneUntil.get(connectionId) ?? 0) > clock.monotonic()) return;
    const turnMs = claims.reserve();
    if (turnMs > 0) await within(clock, turnMs, drainBegan.promise);
    await releasing.get(connectionId);
    if (draining || !(await leases.claim(connectionId))) return;
    /* read again under the lock: what was seen before it may be somebody else's past */
    const row = await rows.findOne({ _id: connectionId });
    const wanted = row && wantedOf(row);
    if (draining || asideSince !== null || !row || wanted?.kind !== 'run') return leases.release(connectionId);
    leaveAloneUntil.delete(connectionId);
    const lease = { isMine: () => leases.isMine(connectionId) };
    const actor = new ConnectionActor(actorDeps, row, lease, wanted.bySomeone);
    actors.set(connectionId, actor);
    void actor.ended.then((end) => onEnded(actor, end));
    await actor.start();
  }

  function onEnded(actor: ConnectionActor, end: ActorEnd): void {
    const { connectionId } = actor;
    if (end !== 'parked' && end !== 'stopped') leaveAlone(connectionId);
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

  function leaveAlone(connectionId: string): void {
    leaveAloneUntil.set(connectionId, clock.monotonic() + timings.cooldownMs);
  }

  function beginDrain(): void {
    draining = true;
    drainBegan.resolve();
  }

  async function handOverAll(isStillMeant = () => true): Promise<void> {
    await Promise.all(busy.values());
    if (!isStillMeant()) return;
    await Promise.all([...actors.values()].map((actor) => actor.handOver()));
  }

  async function abandon(): Promise<void> {
    beginDrain();
    const leaving = [...actors.values()];
    for (const actor of leaving) actor.abandon('lost');
    await within(clock, ABANDON_TIMEOUT_MS, Promise.all(leaving.map((actor) => actor.ended)));
    await Promise.all(releasing.values());
  }

  return {
    actors,
    leases,
    get isDraining() {
      return draining;
    },
    get asideSince() {
      return asideSince;
    },
    standAside() {
      if (asideSince !== null) return;
      asideSince = clock.now();
      void handOverAll(() => asideSince !== null).catch((error: Error) => {
        log.warn({ cause: error.message }, 'a hand-over failed');
      });
    },
    comeBack() {
      asideSince = null;
    },
    settle,
    async settleNow(connectionId) {
      await busy.get(connectionId);
      await settle(connectionId);
    },
    differs(row) {
      const actor = actors.get(row._id);
      const wanted = wantedOf(row);
      if (wanted.kind === 'run') return actor ? row.generation > actor.generation : asideSince === null;
      if (wanted.kind === 'wipe') return true;
      return row.desiredState === 'stopped' && (actor !== undefined || !KEPT_WHEN_STOPPED.has(row.status));
    },
    settleRested() {
      for (const [connectionId, until] of leaveAloneUntil) {
        if (until > clock.monotonic()) continue;
        leaveAloneUntil.delete(connectionId);
        void settle(connectionId);
      }
    },
    leaveAlone,
    forgive: (connectionId) => void leaveAloneUntil.delete(connectionId),
    async drain() {
      beginDrain();
      await within(clock, timings.drainForceMs, handOverAll());
      await abandon();
    },
    abandon,
  };
}

/** One connection an hour may try whether WhatsApp takes this version of the client again. */
function createCanary(clock: ManagerOptions['clock']): ActorDeps['canary'] {
  let takenAt = Number.NEGATIVE_INFINITY;
  return {
    isFree: () => clock.monotonic() - takenAt >= CANARY_EVERY_MS,
    take: () => {
      takenAt = clock.monotonic();
    },
  };
}
