import { isoTime } from '../clock.ts';
import type { NodeStatus } from '../cluster/membership.port.ts';
import type { ConnectionStatus } from '../contracts/entities.ts';
import type { NodeInfo } from '../contracts/session-node.contract.ts';
import { CastellanError, isErrorType } from '../errors.ts';
import type { ConnectionDoc } from '../storage/collections.ts';
import type { Filter } from '../storage/port.ts';
import { type ConnectionManager, DEFAULT_MANAGER_TIMINGS, type ManagerOptions } from './connection-manager.port.ts';
import { createHandOver } from './hand-over.ts';
import { NO_PEERS } from './peers.port.ts';
import { createResidents } from './residents.ts';
import { within } from './within.ts';

const PAGE = 500;
/** rows that were changed this long before the last look are looked at again: clocks of writers differ */
const CHANGE_OVERLAP_MS = 10_000;
/** who wakes a connection would like to see what comes of it, and does not wait long for that */
const WAKE_WAIT_MS = 1_000;
/** who handed a connection over waits with the next one, and not longer than a login takes */
const ARRIVAL_WAIT_MS = 3_000;

export function createConnectionManager(options: ManagerOptions): ConnectionManager {
  const { store, clock, log, owner } = options;
  const timings = { ...DEFAULT_MANAGER_TIMINGS, ...options.timings };
  const rows = store.collection<ConnectionDoc>('connections');
  const residents = createResidents(options, timings, ringChanged);
  const { actors, ownership, debts } = residents;
  const handOver = createHandOver({
    ...options,
    ownership,
    peers: options.peers ?? NO_PEERS,
    release: residents.release,
  });
  /** a shutdown that stops being polite */
  const hurry = Promise.withResolvers<void>();
  const startedAt = clock.now();
  let started = false;
  let reconciling = false;
  let changesSince = 0;
  let fullPassAt = Number.NEGATIVE_INFINITY;
  let cancelTick: () => void = () => {};

  async function reconcile(): Promise<void> {
    const now = clock.now();
    const begunAt = clock.monotonic();
    const wasSettled = residents.isSettled;
    if (begunAt - fullPassAt >= timings.fullPassIntervalMs) {
      fullPassAt = begunAt;
      await fullPass().catch((error: unknown) => {
        fullPassAt = Number.NEGATIVE_INFINITY;
        throw error;
      });
    } else {
      await pages({ updatedAt: { $gte: changesSince - CHANGE_OVERLAP_MS } });
    }
    /* what was not for this node while it was new */
    if (!wasSettled) fullPassAt = Number.NEGATIVE_INFINITY;
    residents.settlePending();
    moveOn();
    changesSince = now;
  }

  async function fullPass(): Promise<void> {
    await pages({ desiredState: 'running' });
    await pages({ deletedAt: { $gt: 0 } });
    for (const connectionId of actors.keys()) void residents.settle(connectionId);
    await debts.audit((connectionId) => actors.has(connectionId));
  }

  /** What the ring has wanted elsewhere for a while goes there. */
  function moveOn(): void {
    if (residents.isClosed) return;
    if (residents.asideSince !== null) return void leaveAll();
    if (ownership.placedForMs() < timings.settleMs) return;
    for (const [connectionId, actor] of actors) {
      const isMeant = () => actors.get(connectionId) === actor && actor.isMovable && isPlacedElsewhere(connectionId);
      if (isMeant()) void handOver.move(connectionId, isMeant);
    }
  }

  function isPlacedElsewhere(connectionId: string): boolean {
    const place = ownership.placeOf(connectionId);
    return place !== null && place !== owner.nodeId;
  }

  async function leaveAll(): Promise<void> {
    await Promise.all([...actors.keys()].map((connectionId) => handOver.leave(connectionId, hurry.promise)));
  }

  /** Every row may have come here or gone: it is looked at now, not at the next second. */
  function ringChanged(): void {
    fullPassAt = Number.NEGATIVE_INFINITY;
    if (!started || residents.isClosed) return;
    cancelTick();
    tick();
  }

  async function pages(filter: Filter): Promise<void> {
    let after = '';
    for (;;) {
      const page = await rows.find({ ...filter, _id: { $gt: after } }, { sort: [['_id', 1]], limit: PAGE });
      for (const row of page) if (residents.differs(row)) void residents.settle(row._id);
      if (page.length < PAGE || residents.isClosed) return;
      after = page.at(-1)?._id ?? after;
    }
  }

  function tick(): void {
    if (!reconciling) {
      reconciling = true;
      void reconcile()
        .catch((error: Error) => log.warn({ cause: error.message }, 'reconcile failed; it looks again'))
        .finally(() => {
          reconciling = false;
        });
    }
    cancelTick = clock.after(timings.reconcileIntervalMs, tick);
  }

  /** Writes a wish that outlives this call, and lets it take effect here. @throws CONFLICT when somebody was faster */
  async function wish(kind: 'pair' | 'logout', row: ConnectionDoc, change: Partial<ConnectionDoc>): Promise<void> {
    const { _id, generation } = row;
    const wished = { kind, generation: generation + 1 };
    const fields = { ...change, wish: wished, generation: wished.generation, updatedAt: clock.now() };
    const { matched } = await rows.updateOne({ _id, generation, deletedAt: null }, { $set: fields });
    if (matched === 0) throw new CastellanError('CONFLICT', 'Somebody else asked for something at the same time.');
    residents.forgive(_id);
    await residents.settleNow(_id);
  }

  async function find(connectionId: string): Promise<ConnectionDoc> {
    const row = await rows.findOne({ _id: connectionId, deletedAt: null });
    if (!row) throw new CastellanError('NOT_FOUND');
    return row;
  }

  async function inTime<T>(answer: Promise<T>, timeoutMs = timings.commandTimeoutMs): Promise<T> {
    const unanswered = Symbol('unanswered');
    const first = await Promise.race([answer, within(clock, timeoutMs, answer).then(() => unanswered)]);
    if (first === unanswered) throw new CastellanError('OUTCOME_UNKNOWN');
    return answer;
  }

  function status(): NodeStatus {
    return {
      draining: residents.isClosed || residents.asideSince !== null,
      connections: actors.size,
      open: [...actors.values()].filter(({ state }) => state === 'open').length,
      memoryBytes: process.memoryUsage.rss(),
      messagesPerMinute: options.traffic?.perMinute() ?? 0,
      startedAt,
      drainingSince: residents.asideSince,
    };
  }

  const info = (): NodeInfo => nodeInfo({ ...owner, ...status() });

  async function drainOnce(): Promise<void> {
    cancelTick();
    residents.standAside();
    const closed = residents.close();
    ownership.announce();
    const everything = closed.then(leaveAll).then(payDebts);
    await within(clock, timings.drainTimeoutMs, everything);
    hurry.resolve();
    await within(clock, timings.drainGraceMs, everything);
    await residents.abandon();
    await ownership.stop({ farewell: true });
  }

  async function payDebts(): Promise<void> {
    for (const connectionId of debts.list()) {
      await debts.giveUp(connectionId).catch((error: Error) => {
        log.warn({ connectionId, cause: error.message }, 'a session was not given up; the others wait for its silence');
      });
    }
  }

  let draining: Promise<void> | null = null;

  return {
    async start() {
      await ownership.start(status);
      started = true;
      if (!residents.isClosed) tick();
    },
    drain() {
      draining ??= drainOnce();
      return draining;
    },
    async abandon() {
      cancelTick();
      await residents.abandon();
      await ownership.stop({ farewell: false });
    },
    async wake(connectionId, reason) {
      const actor = actors.get(connectionId);
      actor?.wake();
      if (actor && reason === 'outbox') return true;
      await within(clock, WAKE_WAIT_MS, residents.settleNow(connectionId));
      return actors.has(connectionId);
    },
    async release(connectionId) {
      return residents.release(connectionId);
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
        if (isErrorType(error, 'OUTCOME_UNKNOWN')) throw new CastellanError('SERVICE_UNAVAILABLE', NO_CODE_YET);
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
    async lookup(connectionId, pn) {
      const actor = actors.get(connectionId);
      if (!actor) throw new CastellanError('NO_OWNER');
      return inTime(actor.lookup(pn), timings.lookupTimeoutMs);
    },
    ownerOf: (connectionId) => ownership.holderOf(connectionId),
    runs: (connectionId) => actors.has(connectionId),
    placeOf: (connectionId) => ownership.placeOf(connectionId),
    reserve: () => residents.reserve(),
    offer(connectionId) {
      if (residents.isClosed || residents.asideSince !== null) return false;
      residents.forgive(connectionId);
      void residents.settleNow(connectionId, true);
      return true;
    },
    arrival: (connectionId) => within(clock, ARRIVAL_WAIT_MS, residents.arrival(connectionId)),
    info,
    nodes: () => ownership.members().map((member) => (member.nodeId === owner.nodeId ? info() : nodeInfo(member))),
    setAside(aside) {
      if (residents.isClosed) throw new CastellanError('SHUTTING_DOWN');
      if (aside) {
        residents.standAside();
        void residents.quiet().then(leaveAll);
      } else if (residents.asideSince !== null) {
        residents.comeBack();
        /* what was left lying changed long ago: the next round looks at every row */
        fullPassAt = Number.NEGATIVE_INFINITY;
      }
      ownership.announce();
      return info();
    },
  };
}

function nodeInfo({ nodeId, incarnation, ...status }: NodeStatus & { nodeId: string; incarnation: string }): NodeInfo {
  const { draining, connections, open, memoryBytes, messagesPerMinute, startedAt, drainingSince } = status;
  return {
    nodeId,
    incarnation,
    draining,
    connections,
    open,
    memoryBytes,
    messagesPerMinute,
    startedAt: isoTime(startedAt),
    drainingSince: drainingSince === null ? null : isoTime(drainingSince),
  };
}

const NO_CODE_YET =
  'WhatsApp cannot be reached, so there is no code yet; it will be shown with the login when there is.';
const PAIRABLE_AGAIN: ReadonlySet<ConnectionStatus> = new Set(['logged_out', 'needs_pairing']);
