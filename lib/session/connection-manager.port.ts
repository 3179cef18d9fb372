import type { Locks } from '../cluster/locks.port.ts';
import type { Membership } from '../cluster/membership.port.ts';
import type { NodeInfo, WakeReason } from '../contracts/session-node.contract.ts';
import type { TrafficMeter } from '../messaging/traffic-meter.ts';
import { DEFAULT_OWNERSHIP_TIMINGS, type OwnershipTimings } from '../timings.ts';
import type { ActorDeps, ActorTimings } from './actor.port.ts';
import type { PairingCode } from './pairing-desk.ts';
import type { Peers } from './peers.port.ts';
import { DEFAULT_SUPERVISOR_TIMINGS } from './supervisor.ts';

/**
 * The connections that run on this node. Every second (and whenever somebody knocks) it compares what the rows ask for
 * with what runs here and acts on the difference, so a lost knock, a crash in the middle or a store that was away only
 * delay. A connection runs here only while its lock is held; the journal fences what the lock lets through.
 */
export interface ConnectionManager {
  /** Takes the node's seat; what is to run begins to. */
  start(): Promise<void>;
  /**
   * Stops claiming and hands everything over: sends in flight finish, the session is flushed, its socket terminated, then
   * released. Ends by itself after `drainTimeoutMs`. Once.
   */
  drain(): Promise<void>;
  /** Ends everything here at once, without a word to anybody: what a crash does, minus the process. */
  abandon(): Promise<void>;
  /** Looks at one connection and its outbox now, or at its outbox only. @returns whether it runs here afterwards */
  wake(connectionId: string, reason?: WakeReason): Promise<boolean>;
  /** Ends it here in the planned way; whoever reconciles next may run it. @returns whether it ran */
  release(connectionId: string): Promise<boolean>;
  /** @throws NOT_FOUND, WRONG_STATE (a login that works), NO_OWNER (runs elsewhere), SERVICE_UNAVAILABLE (no code in time) */
  requestPairingCode(connectionId: string, phoneNumber: string): Promise<PairingCode>;
  /** Resolves when the row says so. @throws NOT_FOUND, NO_OWNER, OUTCOME_UNKNOWN */
  logout(connectionId: string): Promise<void>;
  /** Who goes by a number. @returns null when it is not on WhatsApp. @throws NO_OWNER (runs elsewhere), CONNECTION_CLOSED, OUTCOME_UNKNOWN */
  lookup(connectionId: string, pn: string): Promise<{ lid: string | null; pn: string } | null>;
  /** The node that holds its lock. @returns null when none does. @throws STORE_UNAVAILABLE */
  ownerOf(connectionId: string): Promise<string | null>;
  /** Whether it runs on this node. */
  runs(connectionId: string): boolean;
  /** The session-node that should run it by the ring; null = there is none. */
  placeOf(connectionId: string): string | null;
  /** Keeps a place in the queue of claims for somebody who hands over. @returns ms to wait; null = nothing begins here */
  reserve(): number | null;
  /** Its former owner handed it over to this node. @returns whether it will be claimed; that goes on by itself */
  offer(connectionId: string): boolean;
  /** @returns when what was offered is open here, or will not be soon; after 3 s in any case */
  arrival(connectionId: string): Promise<void>;
  info(): NodeInfo;
  /** Every session-node that lives, as far as this one knows. */
  nodes(): NodeInfo[];
  /** Hands over what runs here and begins nothing more, or goes back to work. @throws SHUTTING_DOWN */
  setAside(aside: boolean): NodeInfo;
}

export interface ManagerTimings extends ActorTimings, OwnershipTimings {
  /** default 1,000 */
  reconcileIntervalMs: number;
  /** between two looks at every row instead of the changed ones, ms. Default 30,000 */
  fullPassIntervalMs: number;
  /** how long a connection that ended without being parked is left alone here, ms. Default 5,000 */
  cooldownMs: number;
  /** how long a caller waits for a pairing code or a logout, ms; the gateway waits 30,000. Default 25,000 */
  commandTimeoutMs: number;
  /** how long a send waits for who goes by a number, ms. Default 2,000 */
  lookupTimeoutMs: number;
}

export const DEFAULT_MANAGER_TIMINGS: ManagerTimings = {
  ...DEFAULT_SUPERVISOR_TIMINGS,
  ...DEFAULT_OWNERSHIP_TIMINGS,
  drainGraceMs: 5_000,
  logoutTimeoutMs: 15_000,
  reconcileIntervalMs: 1_000,
  fullPassIntervalMs: 30_000,
  cooldownMs: 5_000,
  commandTimeoutMs: 25_000,
  lookupTimeoutMs: 2_000,
};

export interface ManagerOptions extends Omit<ActorDeps, 'reopens' | 'canary' | 'timings' | 'random'> {
  locks: Locks;
  membership: Membership;
  /** the other session-nodes; default nobody */
  peers?: Peers;
  traffic?: Pick<TrafficMeter, 'perMinute'>;
  /** another process runs under this node's name: nothing runs here any more, and nothing will */
  fail?(error: Error): void;
  timings?: Partial<ManagerTimings>;
  /** 0 <= x < 1; default Math.random */
  random?: () => number;
}
