import { badRequest, getAt, isPlainObject, type PlainObject, parsePath, setAt, unsetAt } from './field-path.ts';
import type { CheckedFilter } from './filter-syntax.ts';
import type { Update } from './port.ts';

type Operator = '$set' | '$setOnInsert' | '$unset' | '$inc' | '$max' | '$push';

interface Change {
  op: Operator;
  path: readonly string[];
  value: unknown;
}

/** The checked form of an update: its changes, none touching what another one touches. */
export type CheckedUpdate = readonly Change[];

function changesOf(op: string, argument: unknown): Change[] {
  if (op === '$unset') {
    if (!Array.isArray(argument)) throw badRequest('$unset takes a list of fields.');
    return argument.map((field) => ({ op, path: parsePath(String(field)), value: undefined }));
  }
  if (op !== '$set' && op !== '$setOnInsert' && op !== '$inc' && op !== '$max' && op !== '$push') {
    throw badRequest('The update has an operator that does not exist.');
  }
  if (!isPlainObject(argument)) throw badRequest(`${op} takes an object.`);
  return Object.entries(argument)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => ({ op, path: parsePath(field), value }));
}

function refuseConflicts(changes: readonly Change[]): void {
  const paths = changes.map((change) => `${change.path.join('.')}.`).sort();
  const clash = paths.find((path, index) => index > 0 && path.startsWith(paths[index - 1] as string));
  if (clash) throw badRequest(`The update changes ${clash.slice(0, -1)} twice.`);
}

/** @throws BAD_REQUEST when anything in it is outside the language of port.ts, or two changes touch the same field */
export function parseUpdate(update: Update): CheckedUpdate {
  if (!isPlainObject(update)) throw badRequest('The update is not an object.');
  const changes = Object.entries(update).flatMap(([op, argument]) =>
    argument === undefined ? [] : changesOf(op, argument),
  );
  for (const { op, path, value } of changes) {
    const numeric = op === '$inc' || op === '$max';
    if (numeric && !(typeof value === 'number' && Number.isFinite(value))) throw badRequest(`${op} takes numbers.`);
    if (path[0] === '_id' && op !== '$set' && op !== '$setOnInsert') throw badRequest('_id never changes.');
  }
  refuseConflicts(changes);
  return changes;
}

/** The value after an operator; undefined = leave it as it is. */
function changed({ op, path, value }: Change, current: unknown): unknown {
  switch (op) {
    case '$inc':
      if (current !== undefined && typeof current !== 'number') throw badRequest(`${path.join('.')} is no number.`);
      return (current ?? 0) + (value as number);
    case '$max':
      // null sorts before every number, as in MongoDB; anything else sorts after
      if (current === undefined || current === null) return value;
      return typeof current === 'number' && current < (value as number) ? value : undefined;
    case '$push':
      if (current !== undefined && !Array.isArray(current)) throw badRequest(`${path.join('.')} is no list.`);
      return [...(current ?? []), value];
    default:
      return value;
  }
}

function applyChange(doc: PlainObject, change: Change): void {
  if (change.op === '$unset') {
    unsetAt(doc, change.path);
    return;
  }
  const value = changed(change, getAt(doc, change.path));
  if (value !== undefined) setAt(doc, change.path, value);
}

/** Changes `doc` in place. @throws BAD_REQUEST when a change does not fit what is there */
export function applyUpdate(doc: PlainObject, update: CheckedUpdate): void {
  const id = doc._id;
  for (const change of update) if (change.op !== '$setOnInsert') applyChange(doc, change);
  if (doc._id !== id) throw badRequest('_id never changes.');
}

/** The document that an upsert inserts: what the filter says by equality, then the update. @throws BAD_REQUEST */
export function documentForUpsert(filter: CheckedFilter, update: CheckedUpdate): PlainObject & { _id: string } {
  const doc: PlainObject = {};
  for (const test of filter.tests) if (test.op === '$eq') setAt(doc, test.path, test.value);
  for (const change of update) applyChange(doc, change);
  if (typeof doc._id !== 'string') throw badRequest('An upsert needs the _id, in its filter or its update.');
  return doc as PlainObject & { _id: string };
}
