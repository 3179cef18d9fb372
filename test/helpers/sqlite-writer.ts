import { openSqliteStore } from '../../lib/storage/sqlite/sqlite-store.ts';
import { LOG, TEST_COLLECTIONS } from '../integration/storage/test-collections.ts';

/**
 * A process that writes groups of two entries, many at once and without end, and prints the number of each as soon as
 * it is answered; for being killed. Arguments: the path of the store, the number to begin with.
 */
const [path = '', first = '0'] = process.argv.slice(2);
const store = await openSqliteStore({ path, collections: TEST_COLLECTIONS });
let next = Number(first);

async function writer(): Promise<never> {
  for (;;) {
    const n = next++;
    const half = (part: string) => ({ _id: `${n}.${part}`, stream: `s${n % 5}`, bytes: new Uint8Array(500) });
    await store.atomically([
      { op: 'insert', collection: LOG, doc: half('a') },
      { op: 'insert', collection: LOG, doc: half('b') },
    ]);
    process.stdout.write(`${n}\n`);
  }
}

await Promise.all(Array.from({ length: 20 }, writer));
