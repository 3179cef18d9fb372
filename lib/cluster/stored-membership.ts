import type { Clock } from '../clock.ts';
import { isErrorType } from '../errors.ts';
import type { Log } from '../log.ts';
import type { NodeDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import type { OwnershipTimings } from '../timings.ts';
import { holderName, type Member, type Membership, type MembershipHooks, type Owner } from './membership.port.ts';
import { createSilenceWatch } from './silence-watch.ts';

export interface StoredMembershipOptions {
  store: Store;
  clock: Clock;
  log: Log;
  owner: Owner;
  /** weight in the placement */
  capacity: number;
  timings: OwnershipTimings;
}

/** after a heartbeat that failed, before the next try; the deadline does not wait */
const BEAT_RETRY_MS = 500;

/**
 * Membership by heartbeat documents in the store: one a node's name, which the process that started last under that name
 * has for itself. It bumps a counter every 2 s; every node reads all of them every 500 ms and sees which ones move.
 */
export function createStoredMembership(options: StoredMembershipOptions): Membership {
  const { store, clock, log, owner, capacity, timings } = options;
  const { nodeId, incarnation } = owner;
  const nodes = store.collection<NodeDoc>('nodes');
  const watch = createSilenceWatch(clock, timings.membershipGapMs);
  /** taken for dead, with the counter that they stood at: they live again when it moves, not when we were deaf */
  const dead = new Map<string, number>();
  let hooks: MembershipHooks | null = null;
  let seated = false;
  let lost = false;
  let beating: Promise<void> | null = null;
  let beatAgain = false;
  let looking: Promise<void> | null = null;
  let cancelBeat: () => void = () => {};
  let cancelLook: () => void = () => {};
  let members: readonly Member[] = [];
  /** by node: the process that has its name, and since when this one has heard of it */
  const met = new Map<string, { incarnation: string; since: number }>();
  let orphaned: readonly string[] = [];
  let composition = '';
  let changedAt = clock.monotonic();

  function fields(given: MembershipHooks) {
    return { incarnation, capacity, ...given.status(), updatedAt: clock.now() };
  }

  /**
   * The seat is taken whoever had it: the newest process of a name is the one that somebody wanted. What the row says of
   * the former is exact: had it stored another heartbeat meanwhile, nothing would match, and it is looked at again.
   */
  async function sit(given: MembershipHooks): Promise<void> {
    for (let sits = false; !sits && hooks === given; ) {
      const row = await nodes.findOne({ _id: nodeId });
      const seat = owner.seat ?? null;
      const as = row ? { _id: nodeId, incarnation: row.incarnation, counter: row.counter } : { _id: nodeId };
      const update = { $set: { ...fields(given), seat, ...formerOf(row) }, $inc: { counter: 1 } };
      const { matched, inserted } = await nodes.updateOne(as, update, { upsert: !row });
      sits = matched > 0 || inserted;
    }
    seated = true;
  }

  /* a row of our own is one whose answer was lost: what it says of the former stays */
  function formerOf(row: NodeDoc | null): Partial<Pick<NodeDoc, 'former'>> {
    if (row?.incarnation === incarnation) return {};
    return { former: row && { incarnation: row.incarnation, counter: row.counter, seat: row.seat ?? null } };
  }

  /** @returns whether the seat still is ours */
  async function stay(given: MembershipHooks): Promise<boolean> {
    const mine = { _id: nodeId, incarnation };
    const { matched } = await nodes.updateOne(mine, { $set: fields(given), $inc: { counter: 1 } });
    if (matched > 0) return true;
    /* a row that is gone was cleared away by somebody who took us for dead: nobody else sits there */
    if (await nodes.findOne({ _id: nodeId })) return false;
    if (hooks === given) await sit(given);
    return true;
  }

  async function beatOnce(given: MembershipHooks): Promise<void> {
    const sentAt = clock.monotonic();
    if (!seated) await sit(given);
    else if (!(await stay(given))) return loseSeat(given);
    if (hooks === given) given.onConfirmed(sentAt);
  }

  function loseSeat(given: MembershipHooks): void {
    lost = true;
    log.error({}, 'another process runs under the name of this node: it gives everything up');
    given.onSeatTaken();
  }

  async function beat(): Promise<void> {
    cancelBeat();
    if (!hooks || lost) return;
    if (beating) {
      beatAgain = true;
      return;
    }
    let pauseMs = timings.heartbeatIntervalMs;
    beating = beatOnce(hooks).catch((error: Error) => {
      pauseMs = Math.min(pauseMs, BEAT_RETRY_MS);
      log.warn({ cause: error.message }, 'a heartbeat was not stored');
    });
    await beating;
    beating = null;
    if (!hooks || lost) return;
    if (beatAgain) pauseMs = 0;
    beatAgain = false;
    cancelBeat = clock.after(pauseMs, () => void beat());
  }

  async function read(): Promise<void> {
    const askedAt = clock.monotonic();
    try {
      const found = await nodes.find({});
      watch.heard(found, askedAt);
      see(found);
    } catch (error) {
      watch.interrupted();
      throw error;
    }
  }

  /** Whoever asks gets a read that began after the question. */
  async function look(): Promise<void> {
    while (looking) await looking.catch(() => undefined);
    looking = read().finally(() => {
      looking = null;
    });
    return looking;
  }

  function see(found: readonly NodeDoc[]): void {
    if (!hooks) return;
    meet(found);
    members = found.filter(isLiving).map(toMember);
    const orphanedBefore = orphaned.join();
    orphaned = found
      .filter(leavesOrphans)
      .map(({ _id }) => _id)
      .sort();
    const now = members
      .map((one) => `${one.nodeId} ${one.capacity} ${one.draining}`)
      .sort()
      .join('\n');
    if (now === composition && orphaned.join() === orphanedBefore) return;
    if (now !== composition) changedAt = clock.monotonic();
    composition = now;
    hooks.onChange();
  }

  function meet(found: readonly NodeDoc[]): void {
    for (const { _id, incarnation: its } of found) {
      if (met.get(_id)?.incarnation !== its) met.set(_id, { incarnation: its, since: clock.monotonic() });
    }
    const there = new Set(found.map(({ _id }) => _id));
    for (const _id of met.keys()) if (!there.has(_id)) met.delete(_id);
  }

  function isElder({ nodeId: id }: { nodeId: string }): boolean {
    if (id === nodeId) return true;
    const since = met.get(id)?.since;
    return since !== undefined && clock.monotonic() - since >= timings.ownerSilenceMs;
  }

  /* under the same seat the newest process needs no silence to be proven */
  function leavesOrphans({ _id, former, seat }: NodeDoc): boolean {
    if (!former || _id === nodeId || isElder({ nodeId: _id }) || (former.seat && former.seat === seat)) return false;
    return watch.silentForMs(holderName({ nodeId: _id, incarnation: former.incarnation })) >= timings.ownerSilenceMs;
  }

  /* a node that this process has only just begun to hear of counts until its silence is proven */
  function isLiving({ _id, incarnation: its, counter }: NodeDoc): boolean {
    const holder = holderName({ nodeId: _id, incarnation: its });
    if (watch.silentForMs(holder) >= timings.ownerSilenceMs) dead.set(holder, counter);
    if (dead.get(holder) === counter) return false;
    dead.delete(holder);
    return true;
  }

  function lookAgain(): void {
    cancelLook = clock.after(timings.membershipReadMs, () => {
      lookAgain();
      if (looking) return;
      look().catch((error: Error) => log.warn({ cause: error.message }, 'the other nodes cannot be seen'));
    });
  }

  return {
    async start(given) {
      hooks = given;
      changedAt = clock.monotonic();
      lookAgain();
      await beat();
      await look().catch(() => undefined);
    },

    async stop({ farewell }) {
      hooks = null;
      cancelBeat();
      cancelLook();
      members = [];
      /* whose answer is still out would sit down again behind the farewell */
      await beating;
      if (!farewell || !seated || lost) return;
      try {
        await nodes.deleteOne({ _id: nodeId, incarnation });
      } catch (error) {
        if (!isErrorType(error, 'STORE_UNAVAILABLE')) throw error;
      }
    },

    beat: () => void beat(),
    members: () => members,
    elders: () => members.filter(isElder),
    isOrphaned: (id) => orphaned.includes(id),
    stableForMs: () => clock.monotonic() - changedAt,
    silentForMs(other) {
      if (other.nodeId === nodeId && other.incarnation === incarnation) return 0;
      if (other.seat && other.seat === owner.seat) return Number.POSITIVE_INFINITY;
      return watch.silentForMs(holderName(other));
    },
    look,
  };
}

function toMember({
  _id,
  counter: _counter,
  updatedAt: _updatedAt,
  seat: _seat,
  former: _former,
  ...rest
}: NodeDoc): Member {
  return { nodeId: _id, ...rest };
}
