import type { Document } from 'mongodb';
import { type PlainObject, setAt } from '../field-path.ts';
import type { IndexedFields } from '../indexed-fields.ts';
import type { CheckedUpdate } from '../update-document.ts';
import { encodePath, encodeValue } from './bson-codec.ts';

/**
 * Compiles a checked update to MongoDB's operators, without `$setOnInsert`: an upsert of ours inserts the document that
 * update-document.ts makes, the same one for both stores.
 *
 * @throws BAD_REQUEST for values that no document takes, and for a list, an object or bytes where an index looks
 */
export function updateOperators(update: CheckedUpdate, indexed: IndexedFields): Document {
  const operators: Record<string, Document> = {};
  const written: PlainObject = {};
  for (const { op, path, value } of update) {
    const stored = op === '$unset' ? '' : encodeValue(value);
    if (op === '$set' || op === '$setOnInsert') setAt(written, path, value);
    if (op === '$push') setAt(written, path, [value]);
    if (op === '$setOnInsert') continue;
    operators[op] ??= {};
    operators[op][encodePath(path)] = stored;
  }
  indexed.check(written);
  return Object.keys(operators).length > 0 ? operators : { $set: {} };
}
