import { MongoError, MongoServerError } from 'mongodb';
import { CastellanError } from '../../errors.ts';
import { badRequest } from '../field-path.ts';
import { indexedBy } from './indexes.ts';

const DUPLICATE_KEY = 11_000;
/** what MongoDB answers for an update that does not fit the document, or one that is too large */
const DOES_NOT_FIT = new Set([2, 14, 28, 66, 10_334, 17_419, 17_280]);

export type Intent = 'read' | 'write';

/**
 * @param intent of a write that failed for want of an answer it is not known whether it took effect: `data.outcome`
 */
export function storeUnavailable(intent: Intent, cause?: unknown): CastellanError {
  const data = intent === 'write' ? { outcome: 'unknown' } : undefined;
  return new CastellanError('STORE_UNAVAILABLE', undefined, data, { cause });
}

export function isDuplicateKey(error: unknown): error is MongoServerError {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/**
 * The fields of the key that stood in the way, by the index's name: a bulk write's errors come without the key pattern.
 * @param message such as `E11000 duplicate key error collection: c.things index: ix:code:unique dup key: { ... }`
 */
export function duplicateKeys(message: string): string[] {
  const [, name] = /^.*? index: (\S+) dup key/s.exec(message) ?? [];
  return (name && indexedBy(name)) || ['_id'];
}

/** An error of the driver as one of ours; ours and everybody else's pass. */
export function toStoreError(error: unknown, collection: string, intent: Intent): unknown {
  if (isDuplicateKey(error)) {
    return new CastellanError('DUPLICATE_KEY', undefined, { collection, keys: duplicateKeys(error.message) });
  }
  if (error instanceof MongoServerError && DOES_NOT_FIT.has(Number(error.code))) {
    return badRequest('The change does not fit the document that is there.');
  }
  if (error instanceof RangeError) return badRequest('The document is too large.');
  return error instanceof MongoError ? storeUnavailable(intent, error) : error;
}
