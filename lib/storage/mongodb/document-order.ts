/**
 * Writes of one process to one document take effect in the order of the calls, awaited or not. MongoDB does not see to
 * that (a pool has many connections), so the second write of a document waits here for the first.
 *
 * Groups that touch the same document do not wait for each other: they go through one queue, which keeps their order.
 */
export interface DocumentOrder {
  /** Runs when every write to these documents that was entered before is done. */
  single<R>(ids: readonly string[], run: () => Promise<R>): Promise<R>;
  /** @returns `ready`: no single write to these documents is before it any more (null: none was); call `done` at its end. */
  group(ids: readonly string[]): Turn;
}

export interface Turn {
  ready: Promise<unknown> | null;
  done: () => void;
}

interface Tail {
  /** settles after everything entered so far, groups included */
  all: Promise<unknown>;
  /** settles after the last single write */
  single: Promise<unknown> | null;
}

export function createDocumentOrder(): DocumentOrder {
  const tails = new Map<string, Tail>();

  function enter(ids: readonly string[], asGroup: boolean): Turn {
    const { promise: ended, resolve: done } = Promise.withResolvers<void>();
    const waits: Promise<unknown>[] = [];
    for (const id of new Set(ids)) {
      const before = tails.get(id);
      const wait = asGroup ? before?.single : before?.all;
      if (wait) waits.push(wait);
      const tail: Tail = asGroup
        ? { all: before ? Promise.all([before.all, ended]) : ended, single: before?.single ?? null }
        : { all: ended, single: ended };
      tails.set(id, tail);
      tail.all.then(() => {
        if (tails.get(id) === tail) tails.delete(id);
      });
    }
    return { ready: waits.length > 0 ? Promise.all(waits) : null, done: () => done() };
  }

  return {
    async single(ids, run) {
      const { ready, done } = enter(ids, false);
      try {
        await ready;
        return await run();
      } finally {
        done();
      }
    },
    group: (ids) => enter(ids, true),
  };
}
