import { describe, expect, test } from '@jest/globals';
import type { Store, Write } from '../../../lib/storage/port.ts';
import { freshStore, ids, LOG, type OpenStore, rejection, THINGS, type Thing } from './conformance-kit.ts';

interface Entry extends Thing {
  stream: string | null;
  position: number;
  seq: number;
}

const entry = (_id: string, stream: string | null = 's') => ({ _id, stream }) as Entry;
const append = (_id: string, stream: string | null = 's'): Write => ({
  op: 'insert',
  collection: LOG,
  doc: entry(_id, stream),
});

/** Reads like a follower: from its cursor on, until nothing more comes. */
async function readFrom(store: Store, cursor: number, limit = 7): Promise<Entry[]> {
  const read: Entry[] = [];
  for (;;) {
    const after = read.at(-1)?.position ?? cursor;
    const page = await store
      .collection<Entry>(LOG)
      .find({ position: { $gt: after } }, { sort: [['position', 1]], limit });
    read.push(...page);
    if (page.length < limit) return read;
  }
}

export function orderedConformance(open: OpenStore): void {
  describe('ordered collections', () => {
    const context = freshStore(open);
    const log = () => context.store.collection<Entry>(LOG);

    test('number each document globally and within its group', async () => {
      await log().insertOne(entry('a', 'x'));
      await log().insertMany([entry('b', 'y'), entry('c', 'x'), entry('d', null)]);
      await context.store.atomically([append('e', 'x'), append('f', null), append('g', 'y')]);
      const read = await readFrom(context.store, 0);
      expect(ids(read)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
      expect(read.map(({ seq }) => seq)).toEqual([1, 1, 2, 0, 3, 0, 2]);
      expect(read.every(({ position }, n) => n === 0 || position > (read[n - 1] as Entry).position)).toBe(true);
    });

    test('give the numbers themselves, whatever the document claims', async () => {
      await log().insertOne({ ...entry('a'), position: 900, seq: 900 });
      await log().insertOne(entry('b'));
      const read = await readFrom(context.store, 0);
      expect(read.map(({ seq }) => seq)).toEqual([1, 2]);
      expect((read[1] as Entry).position).toBeLessThan(900);
    });

    test('an event that commits late under an older id is still read after the cursor', async () => {
      const [older, newer] = ['evt_01AAAA', 'evt_01BBBB'];
      const heldBack = Promise.withResolvers<void>();
      const second = await context.current.another();
      const late = heldBack.promise.then(() =>
        second.atomically([append(older), { op: 'insert', collection: THINGS, doc: { _id: 't' } }]),
      );
      await log().insertOne(entry(newer));
      const first = await readFrom(context.store, 0);
      expect(ids(first)).toEqual([newer]);
      heldBack.resolve();
      await late;
      const rest = await readFrom(context.store, (first[0] as Entry).position);
      expect(ids(rest)).toEqual([older]);
      expect(rest.map(({ seq }) => seq)).toEqual([2]);
    });

    test('a follower that reads while two writers commit misses nothing and sees nothing twice', async () => {
      const second = await context.current.another();
      const written = new Set<string>();
      const writer = async (store: Store, name: string) => {
        for (let round = 0; round < 30; round++) {
          const batch = Array.from({ length: 1 + (round % 4) }, (_, n) => `${name}${round}.${n}`);
          await store.atomically(batch.map((id) => append(id, name)));
          for (const id of batch) written.add(id);
        }
      };
      let writing = true;
      const writers = Promise.all([writer(context.store, 'a'), writer(second, 'b')]).finally(() => {
        writing = false;
      });
      const seen: Entry[] = [];
      while (writing) seen.push(...(await readFrom(context.store, seen.at(-1)?.position ?? 0)));
      await writers;
      seen.push(...(await readFrom(context.store, seen.at(-1)?.position ?? 0)));
      expect(new Set(ids(seen))).toEqual(written);
      expect(seen).toHaveLength(written.size);
      for (const name of ['a', 'b']) {
        const seqs = seen.filter(({ stream }) => stream === name).map(({ seq }) => seq);
        expect(seqs).toEqual(seqs.map((_, n) => n + 1));
      }
    });

    test('what was not written takes no number', async () => {
      await log().insertOne(entry('a'));
      expect(await rejection(log().insertOne(entry('a')))).toBe('DUPLICATE_KEY');
      expect(await log().insertMany([entry('b'), entry('a'), entry('c')])).toEqual([
        'inserted',
        'duplicate',
        'inserted',
      ]);
      expect(await rejection(context.store.atomically([append('d'), append('a')]))).toBe('DUPLICATE_KEY');
      await log().insertOne(entry('e'));
      expect((await readFrom(context.store, 0)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    });

    test('numbers go on after pruning and a reopen', async () => {
      await log().insertMany(['a', 'b', 'c'].map((id) => entry(id)));
      const last = (await readFrom(context.store, 0)).at(-1) as Entry;
      expect(await log().deleteMany({})).toBe(3);
      const store = await context.current.reopen();
      await store.collection<Entry>(LOG).insertOne(entry('d'));
      const [next] = await readFrom(store, last.position);
      expect([next?._id, next?.seq]).toEqual(['d', 4]);
    });

    test('are only appended to', async () => {
      expect(await rejection(log().replaceIfNewer([{ ...entry('a'), n: 1 }], 'n'))).toBe('BAD_REQUEST');
    });
  });
}
