import { CastellanError } from '../../lib/errors.ts';
import type { Collection, Doc, Store } from '../../lib/storage/port.ts';

type Method = keyof Collection<Doc>;
export type Fault = 'none' | 'refuse' | 'lose-answer';

export interface UnsteadyStore extends Store {
  /** What happens to the next calls: refused before they reach the store, or done with the answer lost. */
  fault: (collection: string, method: Method) => Fault;
  /** Waited before and after every call, half each. Milliseconds. */
  latencyMs: number;
  /** every call that reached the store, `collection.method` */
  readonly calls: string[];
  /** how many calls of a kind were under way at the same time at most, by `collection.method` */
  readonly mostAtOnce: Record<string, number>;
}

const METHODS: readonly Method[] = [
  'insertOne',
  'insertMany',
  'findOne',
  'find',
  'count',
  'updateOne',
  'updateMany',
  'findOneAndUpdate',
  'deleteOne',
  'deleteMany',
  'replaceIfNewer',
];

const pause = (ms: number) => (ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined);

/** A real store behind a bad network. */
export function makeUnsteady(store: Store): UnsteadyStore {
  const unsteady: UnsteadyStore = {
    ...store,
    fault: () => 'none',
    latencyMs: 0,
    calls: [],
    mostAtOnce: {},
    collection: <T extends Doc>(name: string) => wrap(name, store.collection<T>(name)),
  };

  function wrap<T extends Doc>(name: string, collection: Collection<T>): Collection<T> {
    const wrapped = METHODS.map((method) => [method, (...args: unknown[]) => call(name, collection, method, args)]);
    return Object.fromEntries(wrapped) as unknown as Collection<T>;
  }

  const underWay: Record<string, number> = {};

  async function call<T extends Doc>(name: string, collection: Collection<T>, method: Method, args: unknown[]) {
    const kind = `${name}.${method}`;
    underWay[kind] = (underWay[kind] ?? 0) + 1;
    unsteady.mostAtOnce[kind] = Math.max(unsteady.mostAtOnce[kind] ?? 0, underWay[kind]);
    try {
      return await pass(name, collection, method, args);
    } finally {
      underWay[kind] -= 1;
    }
  }

  async function pass<T extends Doc>(name: string, collection: Collection<T>, method: Method, args: unknown[]) {
    const fault = unsteady.fault(name, method);
    await pause(unsteady.latencyMs / 2);
    if (fault === 'refuse') throw new CastellanError('STORE_UNAVAILABLE');
    unsteady.calls.push(`${name}.${method}`);
    const run = collection[method] as unknown as (...given: unknown[]) => Promise<unknown>;
    const result = await run.apply(collection, args);
    await pause(unsteady.latencyMs / 2);
    if (fault === 'lose-answer') throw new CastellanError('STORE_UNAVAILABLE');
    return result;
  }

  return unsteady;
}
