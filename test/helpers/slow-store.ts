import { setTimeout as delay } from 'node:timers/promises';
import type { Collection, Doc, Store } from '../../lib/storage/port.ts';

/**
 * The same store, `latencyMs` further away: every operation starts at once and in order, and is answered (also with its
 * error) that much later, as over a network.
 */
export function slowStore(store: Store, latencyMs: number): Store {
  async function late<R>(answer: Promise<R>): Promise<R> {
    // both are under way at once; an error waits for its delay too
    const [outcome] = await Promise.allSettled([answer, delay(latencyMs)]);
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  }

  function slowCollection<T extends Doc>(inner: Collection<T>): Collection<T> {
    return {
      insertOne: (doc) => late(inner.insertOne(doc)),
      insertMany: (docs) => late(inner.insertMany(docs)),
      findOne: (filter, options) => late(inner.findOne(filter, options)),
      find: (filter, options) => late(inner.find(filter, options)),
      count: (filter) => late(inner.count(filter)),
      updateOne: (filter, update, options) => late(inner.updateOne(filter, update, options)),
      updateMany: (filter, update) => late(inner.updateMany(filter, update)),
      findOneAndUpdate: (filter, update, options) => late(inner.findOneAndUpdate(filter, update, options)),
      deleteOne: (filter) => late(inner.deleteOne(filter)),
      deleteMany: (filter) => late(inner.deleteMany(filter)),
      replaceIfNewer: (docs, field) => late(inner.replaceIfNewer(docs, field)),
    };
  }

  return {
    collection: <T extends Doc>(name: string) => slowCollection(store.collection<T>(name)),
    atomically: (writes) => late(store.atomically(writes)),
    ping: () => late(store.ping()),
    close: () => store.close(),
  };
}
