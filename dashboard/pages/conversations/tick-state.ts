import type { MessageStatus } from '../../../lib/contracts/entities.ts';

/** How far a message has come, as a mark beside it. */
export interface Tick {
  mark: 'waiting' | 'one' | 'two' | 'seen' | 'failed' | 'stopped' | 'unknown';
  /** for people, read out by screen readers too */
  label: string;
}

/** A status never goes back, whatever order the answers and events come in. */
const RANKS: Readonly<Record<MessageStatus, number>> = {
  queued: 0,
  sending: 1,
  parked: 2,
  sent: 3,
  delivered: 4,
  read: 5,
  played: 6,
  cancelled: 7,
  failed: 8,
};

const TICKS: Readonly<Record<MessageStatus, Tick>> = {
  queued: { mark: 'waiting', label: 'Queued' },
  sending: { mark: 'waiting', label: 'Sending' },
  parked: { mark: 'unknown', label: 'Parked: not known whether it was sent' },
  sent: { mark: 'one', label: 'Sent' },
  delivered: { mark: 'two', label: 'Delivered' },
  read: { mark: 'seen', label: 'Read' },
  played: { mark: 'seen', label: 'Played' },
  cancelled: { mark: 'stopped', label: 'Cancelled' },
  failed: { mark: 'failed', label: 'Failed' },
};

/** @returns the mark of a status; one that this page does not know yet is shown by its own name */
export function tickOf(status: string): Tick {
  return isKnown(status) ? TICKS[status] : { mark: 'unknown', label: status };
}

/** Whether `next` says more about a message than `current`; a status that this page does not know does. */
export function isLater(current: string, next: string): boolean {
  if (current === next) return false;
  return !isKnown(current) || !isKnown(next) || RANKS[next] > RANKS[current];
}

function isKnown(status: string): status is MessageStatus {
  return Object.hasOwn(RANKS, status);
}
