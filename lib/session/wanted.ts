import type { ConnectionStatus } from '../contracts/entities.ts';
import type { ConnectionDoc } from '../storage/collections.ts';

/** What a row asks of the session layer; the level that reconcile compares with what runs. */
export type Wanted =
  /** an actor runs; `bySomeone`: for a wish that nobody has acted on yet */
  | { kind: 'run'; bySomeone: boolean }
  /** no actor runs, and the row says so */
  | { kind: 'rest' }
  /** no actor runs, and everything of it goes */
  | { kind: 'wipe' };

/** Nothing is tried again before somebody asks. */
export const PARKED: ReadonlySet<ConnectionStatus> = new Set([
  'qr_expired',
  'needs_pairing',
  'logged_out',
  'conflict',
  'locked',
  'outdated',
  'banned',
  'quarantined',
  'failed',
]);

/** What a stop does not hide: it says more than `stopped`, and decides what the next start does. */
export const KEPT_WHEN_STOPPED: ReadonlySet<ConnectionStatus> = new Set([
  'created',
  'stopped',
  'needs_pairing',
  'logged_out',
  'locked',
  'banned',
  'quarantined',
]);

/** A wish that nobody has acted on yet. */
export function wishOf({ wish, servedGeneration = -1 }: ConnectionDoc): 'pair' | 'logout' | null {
  return wish && wish.generation > servedGeneration ? wish.kind : null;
}

export function wantedOf(row: ConnectionDoc): Wanted {
  if (row.deletedAt !== null) return { kind: 'wipe' };
  const bySomeone = row.generation > (row.servedGeneration ?? -1);
  if (wishOf(row) === 'logout') return row.status === 'logged_out' ? { kind: 'rest' } : { kind: 'run', bySomeone };
  if (row.desiredState === 'stopped') return { kind: 'rest' };
  if (PARKED.has(row.status) && !bySomeone) return { kind: 'rest' };
  return { kind: 'run', bySomeone };
}
