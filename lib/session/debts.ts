import type { Clock } from '../clock.ts';
import type { Owner } from '../cluster/membership.port.ts';
import type { Log } from '../log.ts';
import type { SessionStore } from './ports.ts';

/**
 * Sessions that the journal may still record for this process though they do not run here any more: a socket that was
 * cut, a takeover without an answer, a release that was not stored. The heartbeat of this process keeps everybody else
 * from claiming them, so each is claimed again or given up, however often it takes. A write whose answer was lost may
 * still arrive, so a debt is looked at again until that cannot be any more.
 */
export interface Debts {
  add(connectionId: string): void;
  /** It runs here again. */
  settled(connectionId: string): void;
  has(connectionId: string): boolean;
  /** Those that should be looked at now. */
  due(): string[];
  list(): string[];
  /** Writes the last word about a session that does not run here. @throws STORE_UNAVAILABLE; the debt stays */
  giveUp(connectionId: string): Promise<void>;
  /** Finds those that were forgotten. @param runs what runs here owes nothing */
  audit(runs: (connectionId: string) => boolean): Promise<void>;
}

export interface DebtsOptions {
  sessions: Pick<SessionStore, 'giveUp' | 'recordedTo'>;
  owner: Owner;
  clock: Clock;
  log: Log;
}

/** longer than the driver lets a write be on its way */
const LATE_WRITE_MS = 20_000;
const LOOK_AGAIN_MS = 5_000;

export function createDebts({ sessions, owner, clock, log }: DebtsOptions): Debts {
  const owed = new Map<string, { since: number; lookAt: number }>();

  function add(connectionId: string): void {
    const now = clock.monotonic();
    if (!owed.has(connectionId)) owed.set(connectionId, { since: now, lookAt: now });
  }

  return {
    add,
    settled: (connectionId) => void owed.delete(connectionId),
    has: (connectionId) => owed.has(connectionId),
    list: () => [...owed.keys()],
    due() {
      const now = clock.monotonic();
      return [...owed].filter(([, { lookAt }]) => lookAt <= now).map(([connectionId]) => connectionId);
    },
    async giveUp(connectionId) {
      if (await sessions.giveUp(connectionId, owner)) log.info({ connectionId }, 'given up: it does not run here');
      const debt = owed.get(connectionId);
      if (!debt) return;
      const now = clock.monotonic();
      if (now - debt.since >= LATE_WRITE_MS) owed.delete(connectionId);
      else debt.lookAt = now + LOOK_AGAIN_MS;
    },
    async audit(runs) {
      for (const connectionId of await sessions.recordedTo(owner)) if (!runs(connectionId)) add(connectionId);
    },
  };
}
