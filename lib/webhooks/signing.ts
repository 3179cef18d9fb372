import { createHmac, randomBytes } from 'node:crypto';
import { CastellanError } from '../errors.ts';

/** Standard Webhooks, https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const SECRET_PREFIX = 'whsec_';
const SECRET_BYTES = 32;
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

/** @returns `whsec_` + base64 of 32 random bytes */
export function createSecret(): string {
  return SECRET_PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

/**
 * @param secret `whsec_` + base64 of 24 to 64 bytes
 * @returns the key
 * @throws BAD_REQUEST, which does not repeat the secret
 */
export function parseSecret(secret: string): Buffer {
  const encoded = secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : '';
  const key = Buffer.from(encoded, 'base64');
  const exact = key.toString('base64') === encoded;
  if (!exact || key.length < MIN_SECRET_BYTES || key.length > MAX_SECRET_BYTES) {
    throw new CastellanError('BAD_REQUEST', 'A secret is "whsec_" and the base64 of 24 to 64 bytes.');
  }
  return key;
}

export interface SignedContent {
  /** the event's id: the same on every retry and redelivery */
  id: string;
  /** seconds since the epoch, of this attempt */
  timestampS: number;
  body: string;
}

/**
 * @param key as `parseSecret` gives it
 * @returns the three headers of the specification
 */
export function signatureHeaders(key: Uint8Array, { id, timestampS, body }: SignedContent): Record<string, string> {
  const signature = createHmac('sha256', key).update(`${id}.${timestampS}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': `v1,${signature}`,
  };
}
