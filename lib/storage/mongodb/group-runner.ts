import type { AnyBulkWriteOperation, ClientSession, Collection, Db, Document } from 'mongodb';
import { CastellanError } from '../../errors.ts';
import type { Doc } from '../port.ts';
import { type Append, numbered } from './append-numbers.ts';
import { toStoreError } from './mongo-errors.ts';
import type { CompiledWrite, WriteGroup } from './write-group.ts';

/** Runs groups inside of a transaction that somebody else commits. Whatever it throws, the transaction must be aborted. */
export interface GroupRunner {
  /** One group, write by write. @throws DUPLICATE_KEY, CONDITION_FAILED with the index, BAD_REQUEST */
  alone(session: ClientSession, group: WriteGroup): Promise<void>;
  /**
   * Sharable groups, all of their writes to one collection in one round trip. Every update that expects something names
   * its `_id` and expects one match, so the totals are right only when every single one is; those that expect nothing go
   * in round trips of their own.
   * @throws the same, without telling which group it was
   */
  together(session: ClientSession, groups: readonly WriteGroup[]): Promise<void>;
}

type Update = Extract<CompiledWrite, { op: 'update' }>;
type Delete = Extract<CompiledWrite, { op: 'delete' }>;

const isUpdate = (write: CompiledWrite): write is Update => write.op === 'update';
const isCounted = (write: CompiledWrite): boolean => isUpdate(write) && write.expect !== 'any';

/** The writes in order, in as few parts as can be whose updates all count, or none. */
function countable(writes: readonly CompiledWrite[]): CompiledWrite[][] {
  const parts: CompiledWrite[][] = [];
  let counted: boolean | null = null;
  for (const write of writes) {
    const kind = isUpdate(write) ? isCounted(write) : null;
    const isOfAnotherKind = kind !== null && counted !== null && kind !== counted;
    if (parts.length === 0 || isOfAnotherKind) parts.push([]);
    if (kind !== null) counted = kind;
    parts.at(-1)?.push(write);
  }
  return parts;
}

export function createGroupRunner(db: Db): GroupRunner {
  const collectionOf = (name: string): Collection<Doc> => db.collection<Doc>(name);

  /** Names the collection in the error, as long as it is known. What is transient stays the driver's own error. */
  async function on<R>(collection: string, run: Promise<R>): Promise<R> {
    try {
      return await run;
    } catch (error) {
      const mapped = toStoreError(error, collection, 'write');
      throw (mapped as { type?: string }).type === 'STORE_UNAVAILABLE' ? error : mapped;
    }
  }

  /** The transaction's first write, see `numbered`. @returns the documents with their numbers, in the same order */
  async function number(session: ClientSession, writes: readonly CompiledWrite[]): Promise<Append[]> {
    const appends = writes.flatMap((write): Append[] => {
      const isAppend = write.op === 'insert' && write.table.sequencePer !== null;
      return isAppend ? [{ table: write.table, doc: write.doc }] : [];
    });
    return appends.length > 0 ? numbered(db, session, appends) : [];
  }

  async function append(docs: readonly Append[], session: ClientSession): Promise<void> {
    for (const name of new Set(docs.map(({ table }) => table.name))) {
      const own = docs.filter(({ table }) => table.name === name).map(({ doc }) => doc);
      await on(name, collectionOf(name).insertMany(own, { session, ordered: true }));
    }
  }

  async function update(session: ClientSession, write: Update): Promise<number> {
    const collection = collectionOf(write.table.name);
    const { matchedCount } = await collection.updateMany(write.query, write.operators, { session });
    if (matchedCount > 0 || write.upsert === null) return matchedCount;
    await collection.insertOne(write.upsert, { session });
    return 1;
  }

  async function change(session: ClientSession, write: Update | Delete): Promise<number> {
    const name = write.table.name;
    if (write.op === 'update') return on(name, update(session, write));
    const { deletedCount } = await on(name, collectionOf(name).deleteMany(write.query, { session }));
    return deletedCount;
  }

  /** The operations of one collection, in order. */
  async function bulk(session: ClientSession, name: string, writes: readonly CompiledWrite[]): Promise<void> {
    const operations = writes.map((write): AnyBulkWriteOperation<Doc> => {
      if (write.op === 'insert') return { insertOne: { document: write.doc } };
      if (write.op === 'delete') return { deleteMany: { filter: write.query } };
      const operation = { filter: write.query, update: write.operators };
      return write.byId ? { updateOne: operation } : { updateMany: operation };
    });
    const result = await on(name, collectionOf(name).bulkWrite(operations, { session, ordered: true }));
    const expected = writes.filter(isCounted).length;
    if (expected > 0 && result.matchedCount !== expected) throw new CastellanError('CONDITION_FAILED');
  }

  return {
    async alone(session, { writes }) {
      const numberedDocs = await number(session, writes);
      let appends: Append[] = [];
      for (const [index, write] of writes.entries()) {
        const { table } = write;
        if (write.op === 'insert') {
          if (table.sequencePer !== null) appends.push(...numberedDocs.splice(0, 1));
          else await on(table.name, collectionOf(table.name).insertOne(write.doc as Document & Doc, { session }));
          continue;
        }
        if (table.sequencePer !== null) {
          await append(appends, session);
          appends = [];
        }
        const matched = await change(session, write);
        if (write.expect !== 'any' && matched !== write.expect) {
          throw new CastellanError('CONDITION_FAILED', undefined, { index });
        }
      }
      await append(appends, session);
    },

    async together(session, groups) {
      const all = groups.flatMap(({ writes }) => writes);
      const appends = await number(session, all);
      const byCollection = new Map<string, CompiledWrite[]>();
      for (const write of all) {
        const { name, sequencePer } = write.table;
        if (write.op !== 'insert' || sequencePer === null)
          byCollection.set(name, [...(byCollection.get(name) ?? []), write]);
      }
      for (const [name, writes] of byCollection) {
        for (const part of countable(writes)) await bulk(session, name, part);
      }
      await append(appends, session);
    },
  };
}
