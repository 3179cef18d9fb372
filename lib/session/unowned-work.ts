import type { Clock } from '../clock.ts';
import { guardStore } from '../cluster/guarded-store.ts';
import type { OwnedLease } from '../cluster/lease-keeper.ts';
import type { Owner } from '../cluster/membership.port.ts';
import type { Ownership } from '../cluster/ownership.ts';
import type { EventLog } from '../events/event-log.port.ts';
import type { ConnectionDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import { wipeConnection } from './connection-wipe.ts';
import type { SessionStore } from './ports.ts';
import { createStatusWriter } from './status-writer.ts';
import { KEPT_WHEN_STOPPED } from './wanted.ts';

export interface UnownedWorkOptions {
  ownership: Pick<Ownership, 'claim' | 'release'>;
  store: Store;
  events: EventLog;
  sessions: SessionStore;
  owner: Owner;
  clock: Clock;
}

/**
 * What is done to connections that nobody runs, while nobody can begin to: under both guards, without a takeover.
 * @returns (both) whether it could be done now. @throws STORE_UNAVAILABLE
 */
export interface UnownedWork {
  /** The row says that it is stopped. */
  rest(row: ConnectionDoc): Promise<boolean>;
  /** Everything of a deleted connection goes. */
  wipe(connectionId: string): Promise<boolean>;
}

export function createUnownedWork(options: UnownedWorkOptions): UnownedWork {
  const { ownership, store, sessions, owner, clock } = options;

  async function underLease(connectionId: string, work: (lease: OwnedLease) => Promise<void>): Promise<boolean> {
    const claim = await ownership.claim(connectionId);
    if ('refused' in claim) return false;
    try {
      await work(claim.lease);
    } finally {
      await ownership.release(claim.lease);
    }
    return true;
  }

  return {
    async rest(row) {
      if (KEPT_WHEN_STOPPED.has(row.status)) return true;
      return underLease(row._id, async (lease) => {
        const guarded = { ...options, store: guardStore(store, lease) };
        const writer = createStatusWriter({ ...guarded, connection: row, nodeId: owner.nodeId, epoch: row.epoch });
        const fields = { servedGeneration: row.generation, worker: null };
        await writer.write({ status: 'stopped', reason: 'Stopped on request.', row: fields });
      });
    },
    wipe: (connectionId) =>
      underLease(connectionId, (lease) =>
        wipeConnection(connectionId, guardStore(store, lease), sessions, clock.now()),
      ),
  };
}
