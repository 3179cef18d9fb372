import { CastellanError, ERROR_CATALOGUE, type ErrorType, errorType, isPublicErrorType } from '../errors.ts';

export interface ErrorResponse {
  status: number;
  /** seconds; for 429 and 503 */
  retryAfter: number | null;
  body: { error: { type: ErrorType; message: string; requestId: string; details?: Record<string, unknown> } };
}

interface Problem {
  type?: string;
  field?: string;
  expected?: unknown;
}

const DEFAULT_RETRY_AFTER_SECONDS = 1;
/** What the bus says of a call that was surely not run: nobody is there, or there was no time or no way to send it. */
const NOT_RUN = new Set(['SERVICE_NOT_FOUND', 'SERVICE_NOT_AVAILABLE', 'REQUEST_SKIPPED', 'BAD_GATEWAY', 'QUEUE_FULL']);
/** What it says of a call that was sent: no answer in time, or its node vanished meanwhile. It may have run. */
const UNANSWERED = new Set(['REQUEST_TIMEOUT', 'REQUEST_REJECTED', 'OUTCOME_UNKNOWN']);

/**
 * What a client is told about an error. Only catalogued types leave, with their own message and details; everything
 * else is INTERNAL_ERROR without a word about what happened.
 * @param safe the request changes nothing (GET), so an unknown outcome is only an unavailable service
 */
export function errorResponse(error: unknown, requestId: string, safe: boolean): ErrorResponse {
  const { type, message, data } = classify(error, safe);
  const status: number = ERROR_CATALOGUE[type][0];
  const { retryAfterSeconds, ...details } = data ?? {};
  const retryAfter = Number(retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS);
  return {
    status,
    retryAfter: status === 429 || status === 503 ? retryAfter : null,
    body: { error: { type, message, requestId, ...(Object.keys(details).length > 0 && { details }) } },
  };
}

function classify(error: unknown, safe: boolean): { type: ErrorType; message: string; data?: Record<string, unknown> } {
  const type = errorType(error);
  const { name, message, data } = (error ?? {}) as { name?: string; message?: string; data?: unknown };
  if (type === 'VALIDATION_ERROR' && Array.isArray(data)) return { ...plain(type), data: { problems: problems(data) } };
  if (type === 'UNABLE_DECODE_PARAM') return { ...plain('BAD_REQUEST'), message: 'The path is not well encoded.' };
  if (type !== undefined && UNANSWERED.has(type)) return plain(safe ? 'SERVICE_UNAVAILABLE' : 'OUTCOME_UNKNOWN');
  if (type !== undefined && NOT_RUN.has(type)) return plain('SERVICE_UNAVAILABLE');
  /* the name survives the bus, our class does not; other libraries' errors may use a type of ours by chance */
  if (name === 'CastellanError' && isPublicErrorType(type)) {
    return { type, message: message ?? plain(type).message, ...(isRecord(data) && { data }) };
  }
  return plain('INTERNAL_ERROR');
}

function plain(type: ErrorType): { type: ErrorType; message: string } {
  return { type, message: new CastellanError(type).message };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Which field breaks which rule; never the value, which may be a secret in the wrong place. */
function problems(data: unknown[]): { field: string; rule: string; expected?: unknown }[] {
  return data.slice(0, 20).map((entry) => {
    const { field, type, expected } = (entry ?? {}) as Problem;
    const shown = (typeof expected === 'number' || typeof expected === 'string') && type !== 'stringPattern';
    return { field: String(field ?? '').slice(0, 128), rule: String(type), ...(shown && { expected }) };
  });
}
