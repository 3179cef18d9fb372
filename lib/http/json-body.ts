import type { IncomingMessage } from 'node:http';
import { CastellanError } from '../errors.ts';

/** How deep objects and arrays may nest; ours need five levels at most. */
const MAX_DEPTH = 32;
const OPENING = new Set(['{', '[']);
const CLOSING = new Set(['}', ']']);
/** Names that would reach an object's prototype when they are copied without care. */
const FORBIDDEN_NAMES = new Set(['__proto__', 'constructor', 'prototype']);

export type JsonObject = Record<string, unknown>;

/**
 * Reads a request's body as one JSON object.
 * @param maxBytes larger bodies are refused, by their announced length before a byte is read
 * @throws UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, MALFORMED_JSON, BAD_REQUEST
 */
export async function readJsonBody(req: IncomingMessage, maxBytes: number): Promise<JsonObject> {
  const announced = Number(req.headers['content-length'] ?? 0);
  if (announced > maxBytes) throw new CastellanError('PAYLOAD_TOO_LARGE', undefined, { maxBytes });
  const bytes = await readBytes(req, maxBytes);
  if (bytes.length === 0) return {};
  if (!isJson(req.headers['content-type'])) throw new CastellanError('UNSUPPORTED_MEDIA_TYPE');
  if (req.headers['content-encoding']) {
    throw new CastellanError('UNSUPPORTED_MEDIA_TYPE', 'A compressed body is not taken.');
  }
  return parseJsonObject(decodeUtf8(bytes));
}

function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(contentType.trim());
}

/** Not by `for await`: leaving such a loop destroys the socket, and the client would never read its 413. */
function readBytes(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    req.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else reject(new CastellanError('PAYLOAD_TOO_LARGE', undefined, { maxBytes }));
    });
    req.once('end', () => resolve(Buffer.concat(chunks)));
    req.once('error', () => reject(new CastellanError('BAD_REQUEST', 'The body ended early.')));
    req.once('close', () => reject(new CastellanError('BAD_REQUEST', 'The body ended early.')));
  });
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CastellanError('MALFORMED_JSON', 'The body is not UTF-8.');
  }
}

/** @throws MALFORMED_JSON, BAD_REQUEST when it is no object, nests too deep or names a prototype */
export function parseJsonObject(text: string): JsonObject {
  assertDepth(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CastellanError('MALFORMED_JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CastellanError('BAD_REQUEST', 'The body must be a JSON object.');
  }
  assertNames(value);
  return value as JsonObject;
}

/** Before parsing, so that a hostile body costs one pass and no memory. */
function assertDepth(text: string): void {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (inString) {
      if (char === '\\') at++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (CLOSING.has(char)) depth--;
    else if (OPENING.has(char) && ++depth > MAX_DEPTH) {
      throw new CastellanError('BAD_REQUEST', `The body nests deeper than ${MAX_DEPTH} levels.`);
    }
  }
}

function assertNames(value: object): void {
  for (const [name, inner] of Object.entries(value)) {
    if (FORBIDDEN_NAMES.has(name)) throw new CastellanError('BAD_REQUEST', 'A field has a forbidden name.');
    if (typeof inner === 'object' && inner !== null) assertNames(inner);
  }
}
