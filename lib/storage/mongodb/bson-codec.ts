import { Binary, type Document } from 'mongodb';
import { isByteView } from '../byte-view.ts';
import { badRequest, isPlainObject } from '../field-path.ts';
import type { Doc } from '../port.ts';

/**
 * Documents as BSON. What a tenant stores (metadata, for one) may have any field name; those that MongoDB, its driver or
 * a filter would take for something else are written with percent escapes, and come back as they were:
 *  - `$...` is an operator, and `$ref`/`$id` together would come back as a DBRef;
 *  - `_bsontype` makes the driver take a plain object for one of its own types;
 *  - a dot reads as a path, a null byte ends a BSON name.
 * Names that filters and updates can name (see field-path.ts) are never changed, `_bsontype` excepted.
 */
const SPECIAL = /[%.$\0]/g;
const ESCAPED = /%([0-9A-F]{2})/g;
const MAX_DEPTH = 100;

export function encodeName(name: string): string {
  if (name === '_bsontype') return '%5Fbsontype';
  if (!/[%.$\0]/.test(name)) return name;
  return name.replace(SPECIAL, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

function decodeName(name: string): string {
  if (!name.includes('%')) return name;
  return name.replace(ESCAPED, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** A checked path as the driver takes it. */
export function encodePath(path: readonly string[]): string {
  return path.map(encodeName).join('.');
}

/** @throws BAD_REQUEST for values that are neither JSON nor bytes (NaN, dates, functions, class instances) */
export function encodeValue(value: unknown, depth = 0): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (depth > MAX_DEPTH) throw badRequest('The document is nested too deep.');
  if (isByteView(value)) return new Binary(Uint8Array.from(value));
  if (Array.isArray(value)) return value.map((item) => encodeValue(item ?? null, depth + 1));
  if (isPlainObject(value)) return encodeObject(value, depth);
  throw badRequest('A document holds JSON values and bytes only.');
}

function encodeObject(value: object, depth: number): Document {
  const out: Document = {};
  for (const [name, field] of Object.entries(value)) {
    if (name === '__proto__') throw badRequest('A document cannot have a field __proto__.');
    if (field !== undefined) out[encodeName(name)] = encodeValue(field, depth + 1);
  }
  return out;
}

/** A copy that no longer depends on the caller's object. @throws BAD_REQUEST */
export function encodeDocument(doc: Doc): Document & Doc {
  if (!isPlainObject(doc)) throw badRequest('A document is an object.');
  if (typeof doc._id !== 'string' || doc._id === '') throw badRequest('A document needs an _id, a string.');
  return encodeObject(doc, 0) as Document & Doc;
}

function decodeValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  /* copied: a view would keep the whole answer that it came in */
  if (ArrayBuffer.isView(value)) return new Uint8Array(value as Uint8Array);
  if (Array.isArray(value)) return value.map(decodeValue);
  const out: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) out[decodeName(name)] = decodeValue(field);
  return out;
}

export function decodeDocument<T extends Doc>(doc: Document): T {
  return decodeValue(doc) as T;
}
