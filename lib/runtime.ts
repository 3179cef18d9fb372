import type { Clock } from './clock.ts';
import type { Locks } from './cluster/locks.port.ts';
import type { Membership, Owner } from './cluster/membership.port.ts';
import type { Config } from './config.ts';
import type { EventLog } from './events/event-log.port.ts';
import type { Log } from './log.ts';
import type { MessageTurns } from './messaging/message-turns.ts';
import type { TrafficMeter } from './messaging/traffic-meter.ts';
import type { OpenSocket, RecordApplier, SessionStore } from './session/ports.ts';
import type { Store } from './storage/port.ts';
import type { Vault } from './storage/vault.ts';

/** What one process is made of. Services get it as their only argument: `services/x.service.ts` exports `(runtime) => schema`. */
export interface Runtime {
  config: Config;
  clock: Clock;
  log: Log;
  store: Store;
  locks: Locks;
  vault: Vault;
  events: EventLog;
  owner: Owner;
  /** who runs sessions; begins with the session-node */
  membership: Membership;
  sessions: SessionStore;
  openSocket: OpenSocket;
  applier: RecordApplier;
  /** in which the status of a message is changed in this process */
  turns: MessageTurns;
  /** what this process sends and receives */
  traffic: TrafficMeter;
  /** the bootstrap admin key; `isNew` = made by this start, so nobody has seen it yet */
  admin: { key: string; isNew: boolean };
  /** Resolves when this process cannot go on and should be started anew. */
  failed: Promise<Error>;
  fail(error: Error): void;
  close(): Promise<void>;
}
