import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { OwnershipTimings } from '../timings.ts';
import { createGenerationWatch } from './generation-watch.ts';
import { createLeaseKeeper, lockKeyOf, type OwnedLease } from './lease-keeper.ts';
import type { Locks } from './locks.port.ts';
import {
  holderName,
  isSameOwner,
  type Member,
  type Membership,
  type NodeStatus,
  nodeOfHolder,
  type Owner,
} from './membership.port.ts';
import { rank, winner } from './rendezvous.ts';

/**
 * # Who runs a connection
 *
 * A WhatsApp login that is open twice is thrown out (440), and two processes that step one Signal ratchet break it. So a
 * connection must never run on two nodes, whatever crashes, pauses, partitions or forgets. Three things see to it, and
 * each does what it is good at: **the ring suggests, the lock decides, the journal proves.**
 *
 * **The ring** (rendezvous.ts over membership) says which node should run a connection. It is computed by everyone from
 * what they last heard, so two nodes may disagree for a while. That costs a little time and can do no harm. Where a node
 * was replaced by another under its name (a pod that was deleted by force), the ring still names it, but its new process
 * has yet to listen for 10 s: what the former left goes to the best of those who have listened, and comes back by a move.
 *
 * **The lock** (Redis) is held by at most one node: `SET NX PX`, renewed by its holder for as long as it lives. But Redis
 * can forget (a flush, a failover, a restart without data), so it does not decide alone. The **heartbeat** is the second
 * guard: each node bumps a counter in MongoDB. Whoever wants a connection needs *both* to be free:
 *
 *  1. Look. The journal's newest entry names the owner. It may be nobody, or have released: then only the lock counts. It
 *     may be this very process. It may be a former life of this process's seat, which is proven to be gone, so that its
 *     lock counts for nothing either. Otherwise the owner's counter must have stood still for `ownerSilenceMs` of our own
 *     monotonic clock, listened to without a break, and the locks must not have forgotten anything in the same time:
 *     their generation is one and the same all along.
 *  2. Lock. Absent or mine, in one step with a last look at the generation where that matters.
 *  3. Look again: the same owner, still silent. A store may have been slow, an owner may have woken up.
 *  4. Take over: an entry in the journal right behind the one that was looked at. If anybody wrote in between, it
 *     collides, and everything begins anew.
 *
 * No clock of another host is ever asked. Reads that fail and gaps between reads begin the listening anew: an outage of a
 * store is not the silence of its owners.
 *
 * **The holder** turns this round (lease-keeper.ts). As a claimer needs both guards to be silent for 10 s, a holder is
 * safe for 7 s after it *sent* the latest confirmation of either. It checks that before every write to a socket or a
 * store, synchronously, so a process that was stopped for a minute and wakes up writes nothing. Once the time has passed
 * it is over for good: the socket is cut, and only a new claim opens a new one.
 *
 * **The journal** (session/journal) is what makes a mistake harmless. Every change of a session is an entry with the next
 * number. A takeover is such an entry, so the next entry of whoever was there before collides with it: it is fenced, its
 * socket is cut before the bytes leave, and nothing of it is stored. A takeover entry and the one before it are never
 * pruned, so that this holds however late the other one wakes up.
 *
 * **Debts.** An owner whose process lives but which does not run the connection any more (its socket was cut, a takeover
 * had no answer) blocks everybody else with its heartbeat. So every drop leaves a debt, which session/residents.ts pays
 * by claiming it again or by writing a release into the journal.
 *
 * **Handing over** is a release entry, then the lock is given back, then a hint to the successor, in this order; a lost
 * hint costs a second.
 */
export interface Ownership {
  /** Takes this node's seat, begins to beat, to listen and to renew. */
  start(status: () => NodeStatus): Promise<void>;
  /** @param farewell everything was handed over: the others need not listen for this node */
  stop(options: { farewell: boolean }): Promise<void>;
  /**
   * Both guards, for one connection. The lease that comes of it is confirmed by the lock only until `recorded()`.
   * @throws STORE_UNAVAILABLE; nothing is held then
   */
  claim(connectionId: string): Promise<Claim | Refusal>;
  /** False where the last refusal cannot have changed yet: spares a read for each connection of a node that just died. */
  isWorthTrying(connectionId: string): boolean;
  /** Gives the lock back; the journal's release comes first. Never throws. */
  release(lease: OwnedLease): Promise<void>;
  /** @returns the node that holds the lock. @throws STORE_UNAVAILABLE */
  holderOf(connectionId: string): Promise<string | null>;
  /** The node that should run a connection, of those that live and do not drain; null where there is none. */
  placeOf(connectionId: string): string | null;
  /**
   * The node that should run what the former process of a node left: null where that is for its successor, or for the
   * ring, to take.
   */
  standInOf(connectionId: string, formerNodeId: string): string | null;
  /** The node that sees to what nobody runs (stopped, deleted): one of all that live, drainers too. */
  caretakerOf(connectionId: string): string | null;
  /** The nodes that may take it over from this one, best first. */
  successorsOf(connectionId: string): string[];
  /** For how long the ring has said the same, ms. */
  placedForMs(): number;
  members(): readonly Member[];
  /** Says at once what `status` says now. */
  announce(): void;
}

/** What the journal says of a session: its newest entry. */
export interface SessionHead {
  seq: number;
  epoch: number;
  /** who wrote it */
  owner: Owner;
  /** it was the last word: nobody runs it */
  released: boolean;
}

export interface Claim {
  lease: OwnedLease;
  /** what the takeover must follow */
  head: SessionHead | null;
}

/** Why a connection is not to be had now. */
export interface Refusal {
  refused:
    | 'the owner lives'
    | 'its silence is not proven yet'
    | 'another holds the lock'
    | 'the locks forgot'
    | 'somebody was faster';
}

export interface OwnershipOptions {
  owner: Owner;
  locks: Locks;
  membership: Membership;
  /** @returns what the journal says now, read with majority; null = there never was a session. @throws STORE_UNAVAILABLE */
  headOf(connectionId: string): Promise<SessionHead | null>;
  clock: Clock;
  log: Log;
  timings: OwnershipTimings;
  /** a lease is over that was not given back */
  onOver(connectionId: string): void;
  /** the ring may say something else now */
  onChange(): void;
  /** another process has this node's seat: nothing may begin here any more */
  onSeatTaken(): void;
}

/** an owner that lives may release without a hint that arrives */
const LOOK_AGAIN_MS = 2_000;

type Grounds =
  /** only the lock counts; `over`: and a lock of this holder counts for nothing */
  { kind: 'lock'; over: string | null } | { kind: 'silence'; generation: string } | { kind: 'none'; why: Refusal };

export function createOwnership(options: OwnershipOptions): Ownership {
  const { owner, locks, membership, headOf, clock, log, timings } = options;
  const { lockTtlMs, ownerSilenceMs } = timings;
  const holder = holderName(owner);
  /** by connection: the owner that kept it from being claimed */
  const living = new Map<string, { owner: Owner; since: number }>();
  const generations = createGenerationWatch({ locks, clock, log, timings });
  const leases = createLeaseKeeper({
    locks,
    clock,
    log,
    holder,
    timings,
    onOver: options.onOver,
    onClockJump: () => membership.beat(),
  });

  function groundsFor(head: SessionHead | null): Grounds {
    if (!head || head.released || isSameOwner(head.owner, owner)) return { kind: 'lock', over: null };
    const silentMs = membership.silentForMs(head.owner);
    if (silentMs === Number.POSITIVE_INFINITY) return { kind: 'lock', over: holderName(head.owner) };
    if (silentMs < ownerSilenceMs) return { kind: 'none', why: { refused: 'the owner lives' } };
    const generation = generations.seenFor(ownerSilenceMs);
    if (generation === null) return { kind: 'none', why: { refused: 'its silence is not proven yet' } };
    return { kind: 'silence', generation };
  }

  /** @returns null when the lock is ours */
  async function lock(
    connectionId: string,
    lease: number,
    grounds: Exclude<Grounds, { kind: 'none' }>,
  ): Promise<Refusal | null> {
    const key = lockKeyOf(connectionId);
    if (grounds.kind === 'lock') {
      const { mine } = await locks.claim(key, holder, lockTtlMs, { over: grounds.over, lease });
      return mine ? null : { refused: 'another holds the lock' };
    }
    const { mine, forgotten } = await locks.claimInGeneration(key, holder, lockTtlMs, grounds.generation, { lease });
    if (forgotten) return { refused: 'the locks forgot' };
    return mine ? null : { refused: 'another holds the lock' };
  }

  /** With the lock in hand: is everything as it was? */
  async function lookAgain(connectionId: string, before: SessionHead | null, grounds: Grounds): Promise<boolean> {
    if (grounds.kind === 'silence') await membership.look();
    const head = await headOf(connectionId);
    return head?.seq === before?.seq && head?.epoch === before?.epoch && groundsFor(head).kind === grounds.kind;
  }

  async function claim(connectionId: string): Promise<Claim | Refusal> {
    const head = await headOf(connectionId);
    const grounds = groundsFor(head);
    living.delete(connectionId);
    if (grounds.kind === 'none') {
      if (head) living.set(connectionId, { owner: head.owner, since: clock.monotonic() });
      return grounds.why;
    }
    const sentAt = clock.monotonic();
    const number = leases.nextNumber();
    const refusal = await lock(connectionId, number, grounds);
    if (refusal) return refusal;
    const lease = leases.begin(connectionId, number, sentAt);
    try {
      if (await lookAgain(connectionId, head, grounds)) return { lease, head };
    } catch (error) {
      await leases.release(lease);
      throw error;
    }
    await leases.release(lease);
    return { refused: 'somebody was faster' };
  }

  function isWorthTrying(connectionId: string): boolean {
    const blocking = living.get(connectionId);
    if (!blocking || clock.monotonic() - blocking.since >= LOOK_AGAIN_MS) return true;
    return membership.silentForMs(blocking.owner) >= ownerSilenceMs;
  }

  const placeable = (members = membership.members()) => members.filter(({ draining }) => !draining);

  return {
    async start(status) {
      generations.start();
      leases.start();
      await membership.start({
        status,
        onConfirmed: leases.heartbeatConfirmed,
        onChange: options.onChange,
        onSeatTaken() {
          leases.endAll('another process has the seat of this node');
          options.onSeatTaken();
        },
      });
    },
    async stop({ farewell }) {
      generations.stop();
      leases.stop();
      await membership.stop({ farewell });
    },
    claim,
    isWorthTrying,
    release: leases.release,
    async holderOf(connectionId) {
      const held = await locks.holderOf(lockKeyOf(connectionId));
      return held === null ? null : nodeOfHolder(held);
    },
    placeOf: (connectionId) => winner(connectionId, placeable())?.nodeId ?? null,
    standInOf(connectionId, formerNodeId) {
      if (!membership.isOrphaned(formerNodeId)) return null;
      return winner(connectionId, placeable(membership.elders()))?.nodeId ?? null;
    },
    caretakerOf: (connectionId) => winner(connectionId, membership.members())?.nodeId ?? null,
    successorsOf: (connectionId) =>
      rank(
        connectionId,
        placeable().filter(({ nodeId }) => nodeId !== owner.nodeId),
      ).map(({ nodeId }) => nodeId),
    placedForMs: () => membership.stableForMs(),
    members: () => membership.members(),
    announce: () => membership.beat(),
  };
}
