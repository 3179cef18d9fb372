import type { Owner } from '../cluster/membership.port.ts';
import type { Log } from '../log.ts';
import type { SessionStore } from './ports.ts';

/**
 * Sessions that the journal may still record for this process though they do not run here any more: a socket that was
 * cut, a takeover without an answer, a release that was not stored. The heartbeat of this process keeps everybody else
 * from claiming them, so each is claimed again or given up, however often it takes.
 */
export interface Debts {
  add(connectionId: string): void;
  /** It runs here again, or its release is durable. */
  settled(connectionId: string): void;
  has(connectionId: string): boolean;
  list(): string[];
  /** Writes the last word about a session that does not run here. @throws STORE_UNAVAILABLE; the debt stays */
  giveUp(connectionId: string): Promise<void>;
  /** Finds those that were forgotten. @param runs what runs here owes nothing */
  audit(runs: (connectionId: string) => boolean): Promise<void>;
}

export interface DebtsOptions {
  sessions: Pick<SessionStore, 'giveUp' | 'recordedTo'>;
  owner: Owner;
  log: Log;
}

export function createDebts({ sessions, owner, log }: DebtsOptions): Debts {
  const owed = new Set<string>();
  return {
    add: (connectionId) => void owed.add(connectionId),
    settled: (connectionId) => void owed.delete(connectionId),
    has: (connectionId) => owed.has(connectionId),
    list: () => [...owed],
    async giveUp(connectionId) {
      try {
        await sessions.giveUp(connectionId, owner);
      } catch (error) {
        /* somebody else wrote behind us: nothing is recorded for us any more */
        if ((error as { type?: string }).type !== 'SESSION_FENCED') throw error;
      }
      owed.delete(connectionId);
      log.info({ connectionId }, 'given up: it does not run here');
    },
    async audit(runs) {
      for (const connectionId of await sessions.recordedTo(owner)) if (!runs(connectionId)) owed.add(connectionId);
    },
  };
}
