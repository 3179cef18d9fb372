import type { Locks } from '../cluster/locks.port.ts';
import type { NodeInfo, WakeReason } from '../contracts/session-node.contract.ts';
import type { TrafficMeter } from '../messaging/traffic-meter.ts';
import type { ActorDeps, ActorTimings } from './actor.port.ts';
import { DEFAULT_LEASE_TIMINGS, type LeaseTimings } from './lease-keeper.ts';
import type { PairingCode } from './pairing-desk.ts';
import { DEFAULT_SUPERVISOR_TIMINGS } from './supervisor.ts';

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
  /** The node that runs it. @returns null when none does */
  ownerOf(connectionId: string): Promise<string | null>;
  info(): NodeInfo;
  /** Hands over what runs here and begins nothing more, or goes back to work. @throws SHUTTING_DOWN */
  setAside(aside: boolean): NodeInfo;
}

export interface ManagerTimings extends ActorTimings, LeaseTimings {
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
  commandTimeoutMs: 25_000,
  lookupTimeoutMs: 2_000,
  drainForceMs: 15_000,
};

export interface ManagerOptions extends Omit<ActorDeps, 'reopens' | 'canary' | 'timings' | 'random'> {
  locks: Locks;
  traffic?: Pick<TrafficMeter, 'perMinute'>;
  timings?: Partial<ManagerTimings>;
  /** 0 <= x < 1; default Math.random */
  random?: () => number;
}
