import type { Collection, Doc, Store } from '../storage/port.ts';
import type { Lease } from './lease.port.ts';

/**
 * A store through which only the holder of a lease writes: each write waits while the lease is unproven, and is refused
 * once it is over. Reads pass.
 * @throws (its writes) SESSION_FENCED when the lease is over; nothing was written
 */
export function guardStore(store: Store, lease: Lease): Store {
  const guarded: Store = {
    collection: <T extends Doc>(name: string) => guardCollection(store.collection<T>(name), lease),
    atomically: (writes) => whileMine(lease, () => store.atomically(writes)),
    ping: () => store.ping(),
    close: () => store.close(),
  };
  unguarded.set(guarded, unguardedStore(store));
  return guarded;
}

/** What is shared by everything that uses one store (caches, looks) is kept by the store behind the guard. */
export function unguardedStore(store: Store): Store {
  return unguarded.get(store) ?? store;
}

const unguarded = new WeakMap<Store, Store>();

/** One collection of a guarded store. */
export function guardCollection<T extends Doc>(collection: Collection<T>, lease: Lease): Collection<T> {
  const write = <R>(run: () => Promise<R>) => whileMine(lease, run);
  return {
    ...collection,
    insertOne: (doc) => write(() => collection.insertOne(doc)),
    insertMany: (docs) => write(() => collection.insertMany(docs)),
    updateOne: (filter, update, options) => write(() => collection.updateOne(filter, update, options)),
    updateMany: (filter, update) => write(() => collection.updateMany(filter, update)),
    findOneAndUpdate: (filter, update, options) => write(() => collection.findOneAndUpdate(filter, update, options)),
    deleteOne: (filter) => write(() => collection.deleteOne(filter)),
    deleteMany: (filter) => write(() => collection.deleteMany(filter)),
    replaceIfNewer: (docs, field) => write(() => collection.replaceIfNewer(docs, field)),
  };
}

/** The look and the write are in one turn, where nothing can come between. */
async function whileMine<R>(lease: Lease, run: () => Promise<R>): Promise<R> {
  while (lease.standing() !== 'mine') await lease.proven();
  return run();
}
