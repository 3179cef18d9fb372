import type { BinaryNode } from '@whiskeysockets/baileys';
import { CastellanError } from '../../errors.ts';
import type { ServerAck } from '../ports.ts';

/**
 * Sends that wait for the server's word. Baileys resolves a send when the bytes are written and reports an ack only
 * where it is an error, so the stanza itself is listened to (`CB:ack,class:message`). How long to wait is the sender's
 * choice: one that gave up may wait again under the same id.
 */
export interface AckWaiters {
  /** @throws CONNECTION_CLOSED when the socket ends first; OUTCOME_UNKNOWN when someone waits anew; what `fail` is given */
  wait(waMessageId: string): Promise<ServerAck>;
  fail(waMessageId: string, error: unknown): void;
  onAck(ack: BinaryNode): void;
  /** Ends every wait. */
  close(reason: string): void;
}

export function createAckWaiters(): AckWaiters {
  const waiters = new Map<string, PromiseWithResolvers<ServerAck>>();

  function take(waMessageId: string): PromiseWithResolvers<ServerAck> | undefined {
    const waiter = waiters.get(waMessageId);
    waiters.delete(waMessageId);
    return waiter;
  }

  return {
    wait(waMessageId) {
      take(waMessageId)?.reject(new CastellanError('OUTCOME_UNKNOWN'));
      const waiter = Promise.withResolvers<ServerAck>();
      waiters.set(waMessageId, waiter);
      return waiter.promise;
    },
    fail(waMessageId, error) {
      take(waMessageId)?.reject(error);
    },
    onAck({ attrs }) {
      if (attrs.id === undefined) return;
      take(attrs.id)?.resolve({ waCode: toNumber(attrs.error), serverTimestamp: toNumber(attrs.t) });
    },
    close(reason) {
      for (const id of [...waiters.keys()]) take(id)?.reject(new CastellanError('CONNECTION_CLOSED', reason));
    },
  };
}

const UNREADABLE_CODE = 500;

function toNumber(attribute: string | undefined): number | null {
  if (attribute === undefined || attribute === '') return null;
  const value = Number(attribute);
  return Number.isFinite(value) ? value : UNREADABLE_CODE;
}
