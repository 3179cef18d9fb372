import { createKeyedOrder } from '../keyed-order.ts';

/**
 * What a process learns about one message from several sides (the ack, the receipts, the claim) is written one after the
 * other: each step reads the status that the one before left. Without it they would collide at the store, and a collision
 * takes the transaction with it that others share. Only for that: what is true is decided by the store's conditions.
 */
export interface MessageTurns {
  /** Runs when everybody who came before for one of these keys is done. @param run gets whether it had to wait */
  inTurn<R>(keys: readonly string[], run: (waited: boolean) => Promise<R>): Promise<R>;
}

/** The two names that a message goes by. */
export const turnOfMessage = (messageId: string): string => messageId;
export const turnOfWaMessage = (connectionId: string, waMessageId: string): string => `${connectionId}:${waMessageId}`;

export function createMessageTurns(): MessageTurns {
  return { inTurn: createKeyedOrder().single };
}
