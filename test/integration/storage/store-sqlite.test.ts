import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '../../../lib/storage/port.ts';
import { openSqliteStore } from '../../../lib/storage/sqlite/sqlite-store.ts';
import { type OpenedStore, type OpenStore, storeConformance } from './store-conformance.ts';

const openTemporary: OpenStore = async (collections) => {
  const directory = await mkdtemp(join(tmpdir(), 'castellan-store-'));
  const open = () => openSqliteStore({ path: join(directory, 'castellan.db'), collections });
  let store: Store = await open();
  const opened: OpenedStore = {
    get store() {
      return store;
    },
    // one process, one connection: the seat on DATA_DIR sees to it
    another: async () => store,
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
    async dispose() {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
  return opened;
};

storeConformance('SQLite', openTemporary);
