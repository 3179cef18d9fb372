import type { Clock } from '../clock.ts';
import type { EventLog } from '../events/event-log.port.ts';
import type { Log } from '../log.ts';
import type { MessageDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import { MESSAGES_COLLECTION } from './message-view.ts';

/** One look answers everybody who waits; a look follows commits, but not more often than this. */
const MIN_LOOK_INTERVAL_MS = 10;
const MAX_IDS_PER_LOOK = 500;

export interface SendWaiterOptions {
  store: Store;
  events: EventLog;
  clock: Clock;
  log: Log;
}

/** Waits for messages that are on their way, whichever process sends them. */
export interface SendWaiter {
  /** @returns the message once WhatsApp accepted or refused it, or it was cancelled or parked; null when time is up */
  waitUntilSettled(messageId: string, timeoutMs: number): Promise<MessageDoc | null>;
}

type Settle = (message: MessageDoc | null) => void;

const ON_THE_WAY = new Set<MessageDoc['status']>(['queued', 'sending']);

export function createSendWaiter({ store, events, clock, log }: SendWaiterOptions): SendWaiter {
  const messages = store.collection<MessageDoc>(MESSAGES_COLLECTION);
  const waiting = new Map<string, Set<Settle>>();
  let unsubscribe: (() => void) | null = null;
  let lookDue = false;
  let missed = false;

  /** `missed`: asked for again while a look was under way, which may have read too early. */
  function requestLook(): void {
    if (waiting.size === 0) return;
    missed = lookDue;
    if (lookDue) return;
    lookDue = true;
    clock.after(MIN_LOOK_INTERVAL_MS, () => {
      look()
        .catch((error: unknown) => log.warn({ err: error }, 'cannot look after messages that a caller waits for'))
        .finally(() => {
          lookDue = false;
          if (missed) requestLook();
        });
    });
  }

  async function look(): Promise<void> {
    missed = false;
    const ids = [...waiting.keys()];
    for (let from = 0; from < ids.length; from += MAX_IDS_PER_LOOK) {
      const batch = ids.slice(from, from + MAX_IDS_PER_LOOK);
      for (const message of await messages.find({ _id: { $in: batch } })) {
        if (ON_THE_WAY.has(message.status)) continue;
        for (const settle of waiting.get(message._id) ?? []) settle(message);
      }
    }
  }

  function add(messageId: string, settle: Settle): void {
    const settles = waiting.get(messageId) ?? new Set();
    waiting.set(messageId, settles.add(settle));
    unsubscribe ??= events.onCommit(requestLook);
  }

  function remove(messageId: string, settle: Settle): void {
    const settles = waiting.get(messageId);
    settles?.delete(settle);
    if (settles?.size === 0) waiting.delete(messageId);
    if (waiting.size > 0) return;
    unsubscribe?.();
    unsubscribe = null;
  }

  return {
    waitUntilSettled: (messageId, timeoutMs) =>
      new Promise((resolve) => {
        const settle: Settle = (message) => {
          cancelTimer();
          remove(messageId, settle);
          resolve(message);
        };
        const cancelTimer = clock.after(timeoutMs, () => settle(null));
        add(messageId, settle);
        // It may have been sent before anybody listened.
        requestLook();
      }),
  };
}
