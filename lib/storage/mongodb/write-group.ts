import type { Document } from 'mongodb';
import { badRequest } from '../field-path.ts';
import { type CheckedFilter, parseFilter } from '../filter-syntax.ts';
import type { IndexedFields } from '../indexed-fields.ts';
import type { Doc, Write } from '../port.ts';
import { type CheckedUpdate, documentForUpsert, parseUpdate } from '../update-document.ts';
import { encodeDocument } from './bson-codec.ts';
import { filterQuery, idOf } from './filter-query.ts';
import { updateOperators } from './update-operators.ts';

/** A write of a group, checked and compiled; it no longer depends on the caller's objects. */
export type CompiledWrite =
  | { op: 'insert'; table: TableSpec; doc: Document & Doc }
  | {
      op: 'update';
      table: TableSpec;
      query: Document;
      operators: Document;
      /** what an upsert inserts */
      upsert: (Document & Doc) | null;
      expect: number | 'any';
      /** matches one document at most */
      byId: boolean;
    }
  | { op: 'delete'; table: TableSpec; query: Document; expect: number | 'any' };

export interface TableSpec {
  name: string;
  indexed: IndexedFields;
  /** the field that an ordered collection is numbered by */
  sequencePer: string | null;
}

export interface WriteGroup {
  writes: readonly CompiledWrite[];
  /** `collection/_id` of the documents that it names */
  ids: readonly string[];
  /** whether its writes and those of other such groups can be told apart by their totals; see group-runner.ts */
  sharable: boolean;
}

export const documentKey = (collection: string, id: string): string => `${collection}/${id}`;

/** @throws BAD_REQUEST */
export function checkedDocument(table: TableSpec, doc: Doc): Document & Doc {
  const encoded = encodeDocument(doc);
  table.indexed.check(doc);
  return encoded;
}

/** @throws BAD_REQUEST when there is no _id to insert under */
export function upsertDocument(table: TableSpec, filter: CheckedFilter, update: CheckedUpdate): Document & Doc {
  return checkedDocument(table, documentForUpsert(filter, update));
}

function compileWrite(write: Write, table: TableSpec): { compiled: CompiledWrite; id: string | null } {
  if (write.op === 'insert') {
    const doc = checkedDocument(table, write.doc);
    return { compiled: { op: 'insert', table, doc }, id: doc._id };
  }
  const filter = parseFilter(write.filter);
  const query = filterQuery(filter);
  const id = idOf(filter);
  if (write.op === 'delete') return { compiled: { op: 'delete', table, query, expect: write.expect ?? 'any' }, id };
  if (write.op !== 'update') throw badRequest('A write is an insert, an update or a delete.');
  const update = parseUpdate(write.update);
  const compiled: CompiledWrite = {
    op: 'update',
    table,
    query,
    operators: updateOperators(update, table.indexed),
    upsert: write.upsert ? upsertDocument(table, filter, update) : null,
    expect: write.expect ?? 1,
    byId: id !== null,
  };
  return { compiled, id: id ?? compiled.upsert?._id ?? null };
}

function isSharable(write: CompiledWrite): boolean {
  if (write.op === 'insert') return true;
  if (write.table.sequencePer !== null) return false;
  if (write.op === 'delete') return write.expect === 'any';
  return write.upsert === null && (write.expect === 'any' || (write.byId && write.expect === 1));
}

/** @throws BAD_REQUEST when any of the writes is malformed */
export function compileGroup(writes: readonly Write[], tableOf: (name: string) => TableSpec): WriteGroup {
  const parts = writes.map((write) => ({
    table: tableOf(write.collection),
    ...compileWrite(write, tableOf(write.collection)),
  }));
  return {
    writes: parts.map(({ compiled }) => compiled),
    ids: parts.flatMap(({ table, id }) => (id === null ? [] : [documentKey(table.name, id)])),
    sharable: parts.every(({ compiled }) => isSharable(compiled)),
  };
}
