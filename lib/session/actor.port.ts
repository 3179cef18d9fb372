import type { Clock } from '../clock.ts';
import type { OwnedLease } from '../cluster/lease-keeper.ts';
import type { Owner } from '../cluster/membership.port.ts';
import type { SessionHead } from '../cluster/ownership.ts';
import type { EventLog } from '../events/event-log.port.ts';
import type { Log } from '../log.ts';
import type { Outbox, OutboxOptions } from '../messaging/outbox.port.ts';
import type { Store } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';
import type { OpenSocket, SessionStore } from './ports.ts';
import type { Limiter } from './reopen-limiter.ts';
import type { SupervisorTimings } from './supervisor.ts';

/**
 * One activation of one connection on this node: takes the session over, keeps a socket open, and says what happens in
 * the connection's row. Its life:
 *
 *   taking-over   the takeover is being journalled, the session loaded
 *   connecting    a socket was opened and has not said anything yet
 *   pairing       the socket shows QR codes or a pairing code
 *   open          logged in; the outbox runs
 *   waiting       no socket; a timer opens the next one (backoff)
 *   sleeping      no socket; a timer opens the next one at the end of a temporary ban
 *   ending        no socket, no timer, no outbox; the last writes are under way
 *   ended         nothing is left; another activation needs a new actor
 *
 * Everything that takes time runs through one queue, so that two thoughts never overlap; what must not wait (a dead
 * socket, a lost lock, a fenced session) ends the socket at once and leaves only the writing to the queue. Any state
 * goes to `ending` in four ways: on request, because the table parks, silently (fenced, lock lost, replaced by another
 * node), or because the store is gone.
 */
export type ActorState =
  | 'taking-over'
  | 'connecting'
  | 'pairing'
  | 'open'
  | 'waiting'
  | 'sleeping'
  | 'ending'
  | 'ended';

/** Why an actor is gone; the manager decides by it when the connection may run here again. */
export type ActorEnd = 'stopped' | 'parked' | 'yielded' | 'fenced' | 'lost' | 'store-down' | 'crashed';

export interface ActorTimings extends SupervisorTimings {
  /** a send in flight may finish for this long when the actor is stopped, ms. Default 5,000 */
  drainGraceMs: number;
  /** how long a logout waits for an open socket to tell WhatsApp, ms. Default 15,000 */
  logoutTimeoutMs: number;
}

export interface ActorDeps {
  /** through which only the holder of the lease writes */
  store: Store;
  events: EventLog;
  vault: Vault;
  clock: Clock;
  log: Log;
  owner: Owner;
  sessions: SessionStore;
  openSocket: OpenSocket;
  createOutbox(options: OutboxForActor): Outbox;
  /** spreads reopens after a failure over the node */
  reopens: Limiter;
  /** the node's one try with an outdated client */
  canary: { isFree(): boolean; take(): void };
  timings: ActorTimings;
  random(): number;
}

export type OutboxForActor = Pick<
  OutboxOptions,
  'store' | 'connection' | 'account' | 'epoch' | 'socket' | 'newChatPause' | 'onNewChatPause' | 'log'
>;

/** What gives an actor the right to begin: see lib/cluster/ownership.ts. */
export interface ActorClaim {
  lease: OwnedLease;
  /** what the takeover must follow */
  head: SessionHead | null;
}
