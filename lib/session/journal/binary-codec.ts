/**
 * JSON with bytes: the value as JSON text, every `Uint8Array` in it replaced by a reference into a heap of raw bytes that
 * follows. Session state is mostly keys, and base64 inside JSON would make a third more of it, twice (once encoding, once
 * parsing). `node:v8`'s serializer would do the same, but its format only promises that newer engines read older data:
 * a rollback to an older Node could not read what the newer one wrote.
 *
 * Layout: 4 bytes length of the JSON text (big endian), the text (UTF-8), the heap. A reference is `{"$": [offset, length]}`;
 * an object that itself has a key `$` is written as `{"$": {…}}` around it, so nothing can be mistaken for a reference.
 */
const MARK = '$';
const LENGTH_BYTES = 4;

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface Heap {
  parts: Uint8Array[];
  size: number;
}

/** @param value JSON values and `Uint8Array`s; objects with `toJSON` become what it returns, `undefined` is left out */
export function encodeBinary(value: unknown): Buffer {
  const heap: Heap = { parts: [], size: 0 };
  const text = Buffer.from(JSON.stringify(pack(value, heap) ?? null));
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text, ...heap.parts], LENGTH_BYTES + text.length + heap.size);
}

/** @returns what was encoded, bytes as `Buffer`s of their own. @throws SyntaxError or RangeError when it is malformed */
export function decodeBinary<T = unknown>(bytes: Uint8Array): T {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const heapStart = LENGTH_BYTES + all.readUInt32BE(0);
  const parsed: Json = JSON.parse(all.toString('utf8', LENGTH_BYTES, heapStart));
  return (heapStart === all.length ? unescapeOnly(parsed, all) : unpack(parsed, all.subarray(heapStart))) as T;
}

/** Without a heap there are no references; only an escape can be left, which is rare enough to look for in the text. */
function unescapeOnly(parsed: Json, all: Buffer): unknown {
  return all.includes(`"${MARK}"`) ? unpack(parsed, Buffer.alloc(0)) : parsed;
}

function pack(value: unknown, heap: Heap): Json | undefined {
  if (typeof value !== 'object' || value === null) return packScalar(value);
  if (value instanceof Uint8Array) return packBytes(value, heap);
  if ('toJSON' in value && typeof value.toJSON === 'function') return pack(value.toJSON(), heap);
  if (Array.isArray(value)) return value.map((item) => pack(item, heap) ?? null);
  return packObject(value as Record<string, unknown>, heap);
}

function packScalar(value: unknown): Json | undefined {
  if (typeof value === 'bigint') throw new TypeError('A bigint cannot be stored.');
  return typeof value === 'function' || typeof value === 'symbol' ? undefined : (value as Json | undefined);
}

function packBytes(bytes: Uint8Array, heap: Heap): Json {
  const offset = heap.size;
  heap.parts.push(bytes);
  heap.size += bytes.byteLength;
  return { [MARK]: [offset, bytes.byteLength] };
}

function packObject(value: Record<string, unknown>, heap: Heap): Json {
  const packed: { [key: string]: Json } = {};
  for (const key of Object.keys(value)) {
    const item = pack(value[key], heap);
    if (item !== undefined) Object.defineProperty(packed, key, { value: item, enumerable: true, configurable: true });
  }
  return Object.hasOwn(packed, MARK) ? { [MARK]: packed } : packed;
}

/** Works in place: `JSON.parse` makes own properties of every key (also `__proto__`), and assigning keeps them own. */
function unpack(value: Json, heap: Buffer): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return unpackFields(value as unknown as Record<string, unknown>, heap);
  const marked = Object.hasOwn(value, MARK) ? value[MARK] : undefined;
  if (marked === undefined) return unpackFields(value, heap);
  return Array.isArray(marked)
    ? slice(heap, marked[0] as number, marked[1] as number)
    : unpackFields(marked as Record<string, unknown>, heap);
}

function unpackFields(holder: Record<string, unknown>, heap: Buffer): unknown {
  for (const key of Object.keys(holder)) holder[key] = unpack(holder[key] as Json, heap);
  return holder;
}

function slice(heap: Buffer, offset: number, length: number): Buffer {
  if (offset + length > heap.length) throw new RangeError('A reference points past the end of the bytes.');
  return Buffer.from(heap.subarray(offset, offset + length));
}
