import { randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { openMongoStore } from '../../lib/storage/mongodb/mongo-store.ts';
import type { CollectionSpec, Store } from '../../lib/storage/port.ts';
import type { TemporaryStore } from './temporary-store.ts';

export interface TemporaryMongoStore extends TemporaryStore {
  /** the database's own URL */
  url: string;
  /** another client of the same database, as another process would be; closed with the rest */
  another(): Promise<Store>;
}

/** @param url of a server. @returns the same with a database in its path that nobody else uses */
export function freshDatabase(url: string): string {
  const [, server = '', options = ''] = /^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/[^?]*)?(\?.*)?$/.exec(url) ?? [];
  return `${server}/castellan-test-${randomUUID()}${options}`;
}

/** A real MongoDB store in a database of its own on the server at `serverUrl`. */
export async function temporaryMongoStore(
  serverUrl: string,
  collections?: readonly CollectionSpec[],
): Promise<TemporaryMongoStore> {
  const url = freshDatabase(serverUrl);
  const open = () => openMongoStore({ url, ...(collections ? { collections } : {}) });
  const others: Store[] = [];
  const opened: TemporaryMongoStore = {
    url,
    store: await open(),
    async another() {
      const store = await open();
      others.push(store);
      return store;
    },
    async reopen() {
      await opened.store.close();
      opened.store = await open();
      return opened.store;
    },
    async remove() {
      for (const store of [opened.store, ...others]) await store.close();
      const client = new MongoClient(url);
      await client.db().dropDatabase();
      await client.close();
    },
  };
  return opened;
}
