/**
 * Works of one process that have a key in common run in the order of the calls, awaited or not: the second one waits here
 * for the first. Neither a database (a pool has many connections) nor a message bus sees to that.
 *
 * Groups with a key in common do not wait for each other: whoever runs them keeps their order.
 */
export interface KeyedOrder {
  /** Runs when everything that was entered before for one of the keys is done. @param run gets whether it had to wait */
  single<R>(keys: readonly string[], run: (waited: boolean) => Promise<R>): Promise<R>;
  /** @returns `ready`: no single work with these keys is before it any more (null: none was); call `done` at its end. */
  group(keys: readonly string[]): Turn;
}

export interface Turn {
  ready: Promise<unknown> | null;
  done: () => void;
}

interface Tail {
  /** settles after everything entered so far, groups included */
  all: Promise<unknown>;
  /** settles after the last single work */
  single: Promise<unknown> | null;
}

export function createKeyedOrder(): KeyedOrder {
  const tails = new Map<string, Tail>();

  function enter(keys: readonly string[], asGroup: boolean): Turn {
    const { promise: ended, resolve: done } = Promise.withResolvers<void>();
    const waits: Promise<unknown>[] = [];
    for (const key of new Set(keys)) {
      const before = tails.get(key);
      const wait = asGroup ? before?.single : before?.all;
      if (wait) waits.push(wait);
      const tail: Tail = asGroup
        ? { all: before ? Promise.all([before.all, ended]) : ended, single: before?.single ?? null }
        : { all: ended, single: ended };
      tails.set(key, tail);
      tail.all.then(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
    }
    return { ready: waits.length > 0 ? Promise.all(waits) : null, done: () => done() };
  }

  return {
    async single(keys, run) {
      const { ready, done } = enter(keys, false);
      try {
        await ready;
        return await run(ready !== null);
      } finally {
        done();
      }
    },
    group: (keys) => enter(keys, true),
  };
}
