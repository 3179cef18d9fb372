import { isByteView } from '../byte-view.ts';
import { badRequest, isPlainObject } from '../field-path.ts';

/**
 * A document as a row: JSON text, and one BLOB with all of its `Uint8Array` values end to end. In the JSON such a value
 * is `{"$bytes": [offset, length]}`; keys of the document that begin with `$` get a second one, so that nothing a
 * tenant stores is ever taken for bytes.
 */
export interface EncodedDocument {
  json: string;
  bytes: Uint8Array | null;
}

const MAX_DEPTH = 100;

interface Side {
  chunks: Uint8Array[];
  length: number;
}

function encodeObject(value: object, side: Side, depth: number): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (key === '__proto__') throw badRequest('A document cannot have a field __proto__.');
    if (field !== undefined) out[key.startsWith('$') ? `$${key}` : key] = encodeValue(field, side, depth + 1);
  }
  return out;
}

function encodeBytes(value: Uint8Array, side: Side): { $bytes: [number, number] } {
  const place: [number, number] = [side.length, value.byteLength];
  side.chunks.push(value);
  side.length += value.byteLength;
  return { $bytes: place };
}

function encodeValue(value: unknown, side: Side, depth: number): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (depth > MAX_DEPTH) throw badRequest('The document is nested too deep.');
  if (isByteView(value)) return encodeBytes(value, side);
  if (Array.isArray(value)) return value.map((item) => encodeValue(item ?? null, side, depth + 1));
  if (isPlainObject(value)) return encodeObject(value, side, depth);
  throw badRequest('A document holds JSON values and bytes only.');
}

/** @throws BAD_REQUEST for values that are neither JSON nor bytes (NaN, dates, functions, class instances) */
export function encodeDocument(doc: object): EncodedDocument {
  const side: Side = { chunks: [], length: 0 };
  const json = JSON.stringify(encodeObject(doc, side, 0));
  if (side.chunks.length === 0) return { json, bytes: null };
  return { json, bytes: side.chunks.length === 1 ? (side.chunks[0] as Uint8Array) : Buffer.concat(side.chunks) };
}

function decodeValue(value: unknown, bytes: Uint8Array): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => decodeValue(item, bytes));
  const entries = value as Record<string, unknown>;
  if (Array.isArray(entries.$bytes)) {
    const [offset, length] = entries.$bytes as [number, number];
    return bytes.subarray(offset, offset + length);
  }
  for (const key of Object.keys(entries)) {
    const decoded = decodeValue(entries[key], bytes);
    if (key.startsWith('$')) delete entries[key];
    entries[key.startsWith('$') ? key.slice(1) : key] = decoded;
  }
  return entries;
}

const NO_BYTES = new Uint8Array(0);

export function decodeDocument(json: string, bytes: Uint8Array | null): Record<string, unknown> {
  const doc = JSON.parse(json) as Record<string, unknown>;
  if (bytes === null && !json.includes('"$')) return doc;
  return decodeValue(doc, bytes ?? NO_BYTES) as Record<string, unknown>;
}
