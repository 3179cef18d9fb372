import { isoTime } from '../clock.ts';
import type { ConnectionStatus } from '../contracts/entities.ts';
import type { NodeInfo } from '../contracts/session-node.contract.ts';
import { CastellanError, isErrorType } from '../errors.ts';
import type { ConnectionDoc } from '../storage/collections.ts';
import type { Filter } from '../storage/port.ts';
import { type ConnectionManager, DEFAULT_MANAGER_TIMINGS, type ManagerOptions } from './connection-manager.port.ts';
import { createResidents } from './residents.ts';
import { within } from './within.ts';

const PAGE = 500;
/** rows that were changed this long before the last look are looked at again: clocks of writers differ */
const CHANGE_OVERLAP_MS = 10_000;
/** who wakes a connection would like to see what comes of it, and does not wait long for that */
const WAKE_WAIT_MS = 1_000;

export function createConnectionManager(options: ManagerOptions): ConnectionManager {
  const { store, clock, log, owner } = options;
  const timings = { ...DEFAULT_MANAGER_TIMINGS, ...options.timings };
  const rows = store.collection<ConnectionDoc>('connections');
  const residents = createResidents(options, timings);
  const { actors, leases } = residents;
  const startedAt = clock.now();
  let reconciling = false;
  let changesSince = 0;
  let fullPassAt = Number.NEGATIVE_INFINITY;
  let cancelTick: () => void = () => {};

  async function reconcile(): Promise<void> {
    const now = clock.now();
    if (clock.monotonic() - fullPassAt >= timings.fullPassIntervalMs) {
      await pages({ desiredState: 'running' });
      await pages({ deletedAt: { $gt: 0 } });
      for (const connectionId of actors.keys()) void residents.settle(connectionId);
      fullPassAt = clock.monotonic();
    } else {
      await pages({ updatedAt: { $gte: changesSince - CHANGE_OVERLAP_MS } });
    }
    residents.settleRested();
    changesSince = now;
  }

  async function pages(filter: Filter): Promise<void> {
    let after = '';
    for (;;) {
      const page = await rows.find({ ...filter, _id: { $gt: after } }, { sort: [['_id', 1]], limit: PAGE });
      for (const row of page) if (residents.differs(row)) void residents.settle(row._id);
      if (page.length < PAGE || residents.isDraining) return;
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

  function info(): NodeInfo {
    const { asideSince } = residents;
    return {
      nodeId: owner.nodeId,
      incarnation: owner.incarnation,
      draining: residents.isDraining || asideSince !== null,
      connections: actors.size,
      open: [...actors.values()].filter(({ state }) => state === 'open').length,
      memoryBytes: process.memoryUsage.rss(),
      messagesPerMinute: options.traffic?.perMinute() ?? 0,
      startedAt: isoTime(startedAt),
      drainingSince: asideSince === null ? null : isoTime(asideSince),
    };
  }

  return {
    start() {
      leases.start();
      tick();
    },
    async drain() {
      cancelTick();
      await residents.drain();
      leases.stop();
    },
    async abandon() {
      cancelTick();
      await residents.abandon();
      leases.stop();
    },
    async wake(connectionId, reason) {
      const actor = actors.get(connectionId);
      actor?.wake();
      if (actor && reason === 'outbox') return true;
      await within(clock, WAKE_WAIT_MS, residents.settleNow(connectionId));
      return actors.has(connectionId);
    },
    async release(connectionId) {
      const actor = actors.get(connectionId);
      if (!actor) return false;
      residents.leaveAlone(connectionId);
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
    async ownerOf(connectionId) {
      const holder = await leases.holderOf(connectionId);
      return holder?.slice(0, holder.lastIndexOf(':')) ?? null;
    },
    info,
    setAside(aside) {
      if (residents.isDraining) throw new CastellanError('SHUTTING_DOWN');
      if (aside) residents.standAside();
      else if (residents.asideSince !== null) {
        residents.comeBack();
        /* what was left lying changed long ago: the next round looks at every row */
        fullPassAt = Number.NEGATIVE_INFINITY;
      }
      return info();
    },
  };
}

const NO_CODE_YET =
  'WhatsApp cannot be reached, so there is no code yet; it will be shown with the login when there is.';
const PAIRABLE_AGAIN: ReadonlySet<ConnectionStatus> = new Set(['logged_out', 'needs_pairing']);
