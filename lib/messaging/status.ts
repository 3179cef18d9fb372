import type { MessageStatus } from '../contracts/entities.ts';

/**
 * The order of a message's statuses. A status never goes back:
 *
 *   queued -> sending -> sent -> delivered -> read -> played     (steps may be skipped forward)
 *   queued -> cancelled                                          (final)
 *   queued | sending | parked -> failed                          (final)
 *   queued | sending -> parked -> sent ...                       (outcome unknown; a receipt may prove that it arrived)
 *
 * What WhatsApp accepted can no longer fail; what failed stays failed, whatever straggles in.
 */
const RANKS: Record<MessageStatus, number> = {
  queued: 0,
  sending: 10,
  parked: 15,
  sent: 20,
  delivered: 30,
  read: 40,
  played: 50,
  cancelled: 90,
  failed: 100,
};

/** Place in the order, stored beside the status so that a query can compare. */
export const statusRank = (status: MessageStatus): number => RANKS[status];

/** Ranks from here to below `FINAL_FAILURE_RANK` are of messages that WhatsApp has. */
export const ACCEPTED_RANK = RANKS.sent;
export const FINAL_FAILURE_RANK = RANKS.cancelled;

export const isAccepted = (status: MessageStatus): boolean =>
  RANKS[status] >= ACCEPTED_RANK && RANKS[status] < FINAL_FAILURE_RANK;

/** Whether a message in `from` may become `to`. */
export function canBecome(from: MessageStatus, to: MessageStatus): boolean {
  if (to === 'cancelled') return from === 'queued';
  if (to === 'failed') return RANKS[from] < ACCEPTED_RANK;
  return RANKS[from] < RANKS[to];
}

/** The status that a `<receipt>` of this type proves, or null where it proves none about the recipient. */
export function statusOfReceipt(type: string | undefined): 'delivered' | 'read' | 'played' | null {
  switch (type) {
    case undefined:
    case '':
    case 'delivery':
      return 'delivered';
    case 'read':
      return 'read';
    case 'played':
      return 'played';
    default:
      return null;
  }
}
