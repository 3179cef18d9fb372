import type { ClientSession, Db, Document } from 'mongodb';
import type { Doc } from '../port.ts';
import type { TableSpec } from './write-group.ts';

export const COUNTERS = '_counters';

interface Counter extends Doc {
  value: number;
}

/** A document for an ordered collection, not yet numbered. */
export interface Append {
  table: TableSpec;
  doc: Document & Doc;
}

const positionCounter = (table: TableSpec) => `${table.name}:position`;

function sequenceCounter({ table, doc }: Append): string | null {
  const group: unknown = doc[String(table.sequencePer)] ?? null;
  return group === null ? null : `${table.name}:seq:${group}`;
}

/** Takes numbers from the counters. @returns the last number of each that was there before */
async function take(db: Db, session: ClientSession, wanted: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  const counters = db.collection<Counter>(COUNTERS);
  const ids = [...wanted.keys()];
  await counters.bulkWrite(
    ids.map((_id) => ({ updateOne: { filter: { _id }, update: { $inc: { value: wanted.get(_id) } }, upsert: true } })),
    { session, ordered: true },
  );
  const found = await counters.find({ _id: { $in: ids } }, { session }).toArray();
  return new Map(found.map(({ _id, value }) => [_id, value - (wanted.get(_id) ?? 0)]));
}

/**
 * Numbers the documents, in the order given. The counters are documents of the same transaction: whoever else wants a
 * number conflicts with it until it is committed, so the order of the numbers is the order of the commits.
 *
 * This must be the transaction's first write. Whoever writes what was changed since its transaction began is refused, so
 * a long transaction that came to the counters last would lose to the short ones of other processes, for ever: it begins
 * with the document that everybody wants, or begins again at once.
 */
export async function numbered(db: Db, session: ClientSession, appends: readonly Append[]): Promise<Append[]> {
  const wanted = new Map<string, number>();
  const want = (counter: string | null) => counter && wanted.set(counter, (wanted.get(counter) ?? 0) + 1);
  for (const append of appends) {
    want(positionCounter(append.table));
    want(sequenceCounter(append));
  }
  const last = await take(db, session, wanted);
  const next = (counter: string): number => {
    const number = (last.get(counter) ?? 0) + 1;
    last.set(counter, number);
    return number;
  };
  return appends.map((append) => {
    const sequence = sequenceCounter(append);
    const seq = sequence === null ? 0 : next(sequence);
    return { ...append, doc: { ...append.doc, position: next(positionCounter(append.table)), seq } };
  });
}
