import { type IdKind, idPattern, OWN_USER_ID_PATTERN } from '../ids.ts';

/**
 * Parameter rules that contracts share, in fastest-validator's language. None of them converts: the gateway turns the
 * strings of path and query into what the rule asks for before the action sees them.
 */

/** Printable text without control characters. Lengths in UTF-16 code units. */
export const text = (min: number, max: number) => ({ type: 'string', min, max, pattern: /^[^\p{Cc}]*$/u }) as const;

export const id = (kind: IdKind) => ({ type: 'string', max: 64, pattern: idPattern(kind) }) as const;

/** A made user id or the caller's own. */
export const userId = {
  type: 'string',
  min: 1,
  max: 64,
  pattern: new RegExp(`${idPattern('user').source}|${OWN_USER_ID_PATTERN.source}`),
} as const;

export const optional = <T extends object>(rule: T) => ({ ...rule, optional: true }) as const;

export const oneOf = <T extends readonly string[]>(values: T) => ({ type: 'enum', values }) as const;

/** `limit` and `after` of every list. */
export const page = {
  limit: { type: 'number', integer: true, min: 1, max: 200, optional: true },
  after: { type: 'string', min: 1, max: 512, pattern: /^[A-Za-z0-9_-]+$/, optional: true },
} as const;

export interface PageParams {
  limit?: number;
  after?: string;
}

/** Any JSON object; its size in bytes is checked by whoever takes it (`maxJsonBytes`). */
export const jsonObject = (maxJsonBytes: number) => ({
  type: 'record',
  key: { type: 'string', min: 1, max: 128 },
  value: { type: 'any', nullable: true },
  maxJsonBytes,
  custom(value: unknown, errors: { type: string; expected: number }[]) {
    if (value !== undefined && Buffer.byteLength(JSON.stringify(value)) > maxJsonBytes) {
      errors.push({ type: 'objectMaxBytes', expected: maxJsonBytes });
    }
    return value;
  },
  messages: { objectMaxBytes: `The '{field}' field must be at most {expected} bytes of JSON.` },
});
