import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '../../lib/storage/port.ts';
import { openSqliteStore } from '../../lib/storage/sqlite/sqlite-store.ts';

export interface TemporaryStore {
  store: Store;
  /** Closes the store without ceremony and opens the same file again, as a new process would. */
  reopen(): Promise<Store>;
  remove(): Promise<void>;
}

/** A real SQLite store in a directory of its own. */
export async function temporaryStore(): Promise<TemporaryStore> {
  const directory = await mkdtemp(join(tmpdir(), 'castellan-store-'));
  const path = join(directory, 'castellan.db');
  const opened: TemporaryStore = {
    store: await openSqliteStore({ path }),
    async reopen() {
      await opened.store.close();
      opened.store = await openSqliteStore({ path });
      return opened.store;
    },
    async remove() {
      await opened.store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return opened;
}
