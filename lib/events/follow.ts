import type { CastellanEvent } from '../contracts/entities.ts';
import { decodeCursor } from './cursor.ts';
import type { EventLog, EventQuery } from './event-log.port.ts';

export interface FollowOptions extends Omit<EventQuery, 'limit'> {
  /** ends the iteration, also while it waits */
  signal: AbortSignal;
  /** events read at a time; default 100 */
  batchSize?: number;
}

export interface FollowedEvent {
  event: CastellanEvent;
  /** continue from here after a lost connection */
  cursor: string;
}

const DEFAULT_BATCH_SIZE = 100;

/**
 * Every matching event after the cursor, oldest first, then every new one as it commits, until `signal` aborts. Without
 * `after` it starts from now. No gaps and no duplicates: the cursor follows commit order. It reads only when the
 * consumer asks for more, so a slow consumer holds one batch and nothing else.
 *
 * @throws BAD_REQUEST for a malformed cursor, STORE_UNAVAILABLE (the consumer continues from its last cursor)
 */
export async function* followEvents(log: EventLog, options: FollowOptions): AsyncGenerator<FollowedEvent, void, void> {
  const { signal, batchSize = DEFAULT_BATCH_SIZE, after: start, ...filter } = options;
  const bell = listenFor(log, signal);
  try {
    let after = start ?? (await log.head());
    let looked = start === undefined ? after : null;
    while (!signal.aborted) {
      bell.reset();
      const head = await log.head();
      if (head !== looked) {
        for await (const item of readAll(log, { ...filter, after, limit: batchSize })) {
          if (signal.aborted) return;
          after = item.cursor;
          yield item;
        }
        // What is at or below this head was read, matching or not: a rare filter does not scan the same events again.
        after = later(after, head);
        looked = head;
      }
      if (!signal.aborted) await bell.next;
    }
  } finally {
    bell.close();
  }
}

async function* readAll(log: EventLog, query: EventQuery): AsyncGenerator<FollowedEvent, void, void> {
  let after = query.after;
  for (;;) {
    const { items, next } = await log.read({ ...query, after });
    yield* items;
    if (next === null) return;
    after = next;
  }
}

function later(a: string, b: string): string {
  return decodeCursor(a) >= decodeCursor(b) ? a : b;
}

/** A promise that resolves with the next commit (or look) after `reset()`, or with the abort. */
function listenFor(log: EventLog, signal: AbortSignal) {
  let pending = Promise.withResolvers<void>();
  const ring = () => pending.resolve();
  const unsubscribe = log.onCommit(ring);
  signal.addEventListener('abort', ring);
  return {
    get next() {
      return pending.promise;
    },
    reset() {
      pending = Promise.withResolvers<void>();
    },
    close() {
      unsubscribe();
      signal.removeEventListener('abort', ring);
    },
  };
}
