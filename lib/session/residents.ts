import { guardStore } from '../cluster/guarded-store.ts';
import type { OwnedLease } from '../cluster/lease-keeper.ts';
import { type Claim, createOwnership, type Ownership } from '../cluster/ownership.ts';
import type { ConnectionDoc } from '../storage/collections.ts';
import type { ActorDeps, ActorEnd } from './actor.port.ts';
import { ConnectionActor } from './actor.ts';
import type { ManagerOptions, ManagerTimings } from './connection-manager.port.ts';
import { createDebts, type Debts } from './debts.ts';
import { createOutdatedCanary } from './outdated-canary.ts';
import { createLimiter, REOPEN_LIMIT } from './reopen-limiter.ts';
import { createUnownedWork } from './unowned-work.ts';
import { KEPT_WHEN_STOPPED, wantedOf } from './wanted.ts';
import { within } from './within.ts';

/** What runs on this node, and the only way by which it begins and ends. One thing at a time happens to a connection. */
export interface Residents {
  readonly actors: ReadonlyMap<string, ConnectionActor>;
  readonly ownership: Ownership;
  readonly debts: Debts;
  /** Begins nothing any more: it shuts down, or its seat was lost. */
  readonly isClosed: boolean;
  /** Acts on the difference between what a row asks for and what runs here. Never rejects: the next round looks again. */
  settle(connectionId: string): Promise<void>;
  /**
   * The same, after what is under way: a change that was written before the call counts.
   * @param bidden its former owner handed it over to this node, whatever the ring says
   */
  settleNow(connectionId: string, bidden?: boolean): Promise<void>;
  /** A cheap look, so that a round over thousands of settled rows costs nothing more. */
  differs(row: ConnectionDoc): boolean;
  /** Settles those that were to be had before, or were left alone for long enough, and those that are owed. */
  settlePending(): void;
  leaveAlone(connectionId: string): void;
  /** Somebody asks: a connection that was left alone may run. */
  forgive(connectionId: string): void;
  /** Ends it here in the planned way; resolves when session and lock are released. @returns whether it ran */
  release(connectionId: string): Promise<boolean>;
  /** Resolves when what is under way for it here has led to an open session, or to none. */
  arrival(connectionId: string): Promise<void>;
  /** Takes the next place in the queue of claims. @returns ms to wait for it; null = nothing begins here */
  reserve(): number | null;
  /** the ring stood still long enough since this node came */
  readonly isSettled: boolean;
  /** since when this node stands aside, ms; null while it does not */
  readonly asideSince: number | null;
  /** Runs nothing any more, until it is asked back; what is stopped or deleted is still seen to. */
  standAside(): void;
  comeBack(): void;
  /** Resolves when nothing of what was under way at the call is any more. */
  quiet(): Promise<void>;
  /** Begins nothing any more; what is under way ends. */
  close(): Promise<void>;
  /** Ends everything at once. */
  abandon(): Promise<void>;
}

/** an actor that is abandoned while its store is silent is not waited for longer */
const ABANDON_TIMEOUT_MS = 2_000;

/** @param onChange the ring may say something else now */
export function createResidents(options: ManagerOptions, timings: ManagerTimings, onChange: () => void): Residents {
  const { store, clock, log, owner, sessions, random = Math.random } = options;
  const rows = store.collection<ConnectionDoc>('connections');
  const actors = new Map<string, ConnectionActor>();
  /** being claimed, stopped or wiped at this moment: one at a time a connection */
  const busy = new Map<string, Promise<void>>();
  /** ended here, and their locks on the way out: the same holder must not claim before */
  const releasing = new Map<string, Promise<void>>();
  const leaveAloneUntil = new Map<string, number>();
  /** should run here and could not be claimed yet */
  const pending = new Set<string>();
  const claims = createLimiter({ perSecond: timings.claimsPerSecond, burst: timings.claimBurst }, clock);
  const closing = Promise.withResolvers<void>();
  const debts = createDebts({ sessions, owner, clock, log });
  let closed = false;
  let asideSince: number | null = null;
  /** a node that has just come claims only what its seat had, until the ring stood still */
  let settled = false;
  const ownership = createOwnership({
    ...options,
    timings,
    headOf: (connectionId) => sessions.head(connectionId),
    onOver: (connectionId) => actors.get(connectionId)?.abandon('lost'),
    onChange,
    onSeatTaken() {
      stopBeginning();
      options.fail?.(
        new Error(`Another process runs as ${owner.nodeId}: this one gave everything up. NODE_ID must be unique.`),
      );
    },
  });
  const unowned = createUnownedWork({ ...options, ownership });
  const actorDeps: ActorDeps = {
    ...options,
    timings,
    random,
    reopens: createLimiter(REOPEN_LIMIT, clock),
    canary: createOutdatedCanary(clock),
  };

  function settle(connectionId: string, bidden = false): Promise<void> {
    const before = busy.get(connectionId);
    if (before) return before;
    const work = settleOnce(connectionId, bidden)
      .catch((error: Error) => {
        pending.add(connectionId);
        log.warn({ connectionId, cause: error.message }, 'reconcile failed; it looks again');
      })
      .finally(() => busy.delete(connectionId));
    busy.set(connectionId, work);
    return work;
  }

  async function settleOnce(connectionId: string, bidden: boolean): Promise<void> {
    pending.delete(connectionId);
    const row = await rows.findOne({ _id: connectionId });
    if (closed) return;
    const actor = actors.get(connectionId);
    if (actor?.isOver) await actor.ended;
    await releasing.get(connectionId);
    const runs = actor !== undefined && !actor.isOver;
    if (!row) return runs ? undefined : payDebt(connectionId);
    const wanted = wantedOf(row);
    if (wanted.kind === 'run') {
      if (!runs) return run(row, bidden);
      if (row.generation > actor.generation) await actor.apply(row);
      return;
    }
    if (!runs) await payDebt(connectionId);
    if (wanted.kind === 'rest') {
      /* an actor whose row looks parked is between two tries, or parking at this moment: its own business */
      if (row.desiredState === 'running') return;
      if (runs) return stop(actor);
      return afterwards(connectionId, () => unowned.rest(row));
    }
    if (runs) await actor.logoutAndStop();
    await releasing.get(connectionId);
    return afterwards(connectionId, () => unowned.wipe(connectionId));
  }

  const isPlacedHere = (connectionId: string) => ownership.placeOf(connectionId) === owner.nodeId;
  const isCaretaker = (connectionId: string) => ownership.caretakerOf(connectionId) === owner.nodeId;
  const rests = (connectionId: string) => (leaveAloneUntil.get(connectionId) ?? 0) > clock.monotonic();

  /** Should it begin here? Says nothing about whether it can. */
  function belongsHere({ _id, worker }: Pick<ConnectionDoc, '_id' | 'worker'>): boolean {
    if (asideSince !== null) return false;
    if (!isPlacedHere(_id)) return worker !== null && ownership.standInOf(_id, worker.nodeId) === owner.nodeId;
    return isSettled() || worker?.nodeId === owner.nodeId;
  }

  const isToBeHad = (row: ConnectionDoc) => belongsHere(row) && ownership.isWorthTrying(row._id);

  function isSettled(): boolean {
    settled ||= ownership.placedForMs() >= timings.settleMs;
    return settled;
  }

  async function run(row: ConnectionDoc, bidden: boolean): Promise<void> {
    const { _id: connectionId } = row;
    if (!bidden && !belongsHere(row)) return payDebt(connectionId);
    if (asideSince !== null || (rests(connectionId) && !bidden)) return;
    const turnMs = bidden ? 0 : claims.reserve();
    if (turnMs > 0) await within(clock, turnMs, closing.promise);
    if (closed || (!bidden && !belongsHere(row))) return;
    const claim = await ownership.claim(connectionId);
    if ('refused' in claim) {
      pending.add(connectionId);
      log.debug({ connectionId, cause: claim.refused }, 'not to be had yet');
      return;
    }
    await begin(connectionId, claim);
  }

  async function begin(connectionId: string, { lease, head }: Claim): Promise<void> {
    /* read again under the lock: what was seen before it may be somebody else's past */
    const row = await rows.findOne({ _id: connectionId }).catch(async (error: unknown) => {
      await ownership.release(lease);
      throw error;
    });
    const wanted = row && wantedOf(row);
    if (closed || asideSince !== null || !row || wanted?.kind !== 'run') return ownership.release(lease);
    leaveAloneUntil.delete(connectionId);
    const deps = { ...actorDeps, store: guardStore(store, lease) };
    const actor = new ConnectionActor(deps, row, { lease, head }, wanted.bySomeone);
    actors.set(connectionId, actor);
    debts.settled(connectionId);
    void actor.ended.then((end) => onEnded(actor, lease, end));
    await actor.start();
  }

  function onEnded(actor: ConnectionActor, lease: OwnedLease, end: ActorEnd): void {
    const { connectionId } = actor;
    if (end !== 'parked' && end !== 'stopped') leaveAlone(connectionId);
    if (!actor.isReleased) debts.add(connectionId);
    actors.delete(connectionId);
    const release = ownership.release(lease).finally(() => releasing.delete(connectionId));
    releasing.set(connectionId, release);
  }

  async function payDebt(connectionId: string): Promise<void> {
    if (debts.has(connectionId)) await debts.giveUp(connectionId);
  }

  /** What one node does about a connection that nobody runs; if it cannot yet, at the next round. */
  async function afterwards(connectionId: string, work: () => Promise<boolean>): Promise<void> {
    if (isCaretaker(connectionId) && !(await work())) pending.add(connectionId);
  }

  async function stop(actor: ConnectionActor): Promise<void> {
    await actor.stop('stopped', 'Stopped on request.');
    await actor.ended;
  }

  function leaveAlone(connectionId: string): void {
    leaveAloneUntil.set(connectionId, clock.monotonic() + timings.cooldownMs);
  }

  async function quiet(): Promise<void> {
    await Promise.all(busy.values());
  }

  function stopBeginning(): void {
    closed = true;
    closing.resolve();
  }

  return {
    actors,
    ownership,
    debts,
    get isClosed() {
      return closed;
    },
    get isSettled() {
      return isSettled();
    },
    get asideSince() {
      return asideSince;
    },
    standAside() {
      asideSince ??= clock.now();
    },
    comeBack() {
      asideSince = null;
    },
    settle,
    async settleNow(connectionId, bidden) {
      while (busy.has(connectionId)) await busy.get(connectionId);
      await settle(connectionId, bidden);
    },
    differs(row) {
      const actor = actors.get(row._id);
      const wanted = wantedOf(row);
      if (wanted.kind === 'run') return actor ? row.generation > actor.generation : isToBeHad(row);
      if (wanted.kind === 'wipe') return actor !== undefined || isCaretaker(row._id);
      if (row.desiredState !== 'stopped') return false;
      return actor !== undefined || (!KEPT_WHEN_STOPPED.has(row.status) && isCaretaker(row._id));
    },
    settlePending() {
      for (const [connectionId, until] of leaveAloneUntil) {
        if (until > clock.monotonic()) continue;
        leaveAloneUntil.delete(connectionId);
        void settle(connectionId);
      }
      for (const connectionId of pending) if (ownership.isWorthTrying(connectionId)) void settle(connectionId);
      for (const connectionId of debts.due()) if (!rests(connectionId)) void settle(connectionId);
    },
    leaveAlone,
    forgive: (connectionId) => void leaveAloneUntil.delete(connectionId),
    async release(connectionId) {
      const actor = actors.get(connectionId);
      if (!actor) return false;
      leaveAlone(connectionId);
      await actor.handOver();
      await releasing.get(connectionId);
      return true;
    },
    async arrival(connectionId) {
      await busy.get(connectionId);
      await actors.get(connectionId)?.arrived;
    },
    reserve: () => (closed || asideSince !== null ? null : claims.reserve()),
    quiet,
    async close() {
      stopBeginning();
      await quiet();
    },
    async abandon() {
      stopBeginning();
      const leaving = [...actors.values()];
      for (const actor of leaving) actor.abandon('lost');
      await within(clock, ABANDON_TIMEOUT_MS, Promise.all(leaving.map((actor) => actor.ended)));
      await Promise.all(releasing.values());
    },
  };
}
