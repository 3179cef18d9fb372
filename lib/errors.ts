/**
 * The one catalogue of errors. On the wire between services only `type` survives for sure (an error's class does not),
 * so code compares `error.type`. The keys are part of API version 1 and are published in the OpenAPI description.
 */
export const ERROR_CATALOGUE = {
  BAD_REQUEST: [400, 'The request is not valid.'],
  VALIDATION_ERROR: [400, 'A field is missing, unknown or of the wrong form.'],
  MALFORMED_JSON: [400, 'The body is not valid JSON.'],
  INVALID_RECIPIENT: [400, 'The recipient is neither a phone number nor a WhatsApp id.'],
  UNSUPPORTED_CONTENT: [400, 'This kind of content cannot be sent.'],
  UNAUTHORIZED: [401, 'No API key, or one that is not valid.'],
  FORBIDDEN: [403, 'This API key may not do that.'],
  TARGET_FORBIDDEN: [400, 'The address is private, loopback or otherwise not allowed as a target.'],
  NOT_FOUND: [404, 'There is no such thing, or it is not yours.'],
  METHOD_NOT_ALLOWED: [405, 'This path does not take that method.'],
  CONFLICT: [409, 'It already exists.'],
  WRONG_STATE: [409, 'The connection is not in a state that allows this.'],
  IDEMPOTENCY_MISMATCH: [409, 'This Idempotency-Key was used with another request.'],
  IDEMPOTENCY_IN_PROGRESS: [409, 'The first request with this Idempotency-Key is still being answered.'],
  LOGGED_OUT: [410, 'The account is logged out, banned or locked; pair it anew.'],
  PAYLOAD_TOO_LARGE: [413, 'The body is too large.'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'The body must be JSON.'],
  NOT_ON_WHATSAPP: [422, 'The number is not on WhatsApp.'],
  REJECTED_BY_WHATSAPP: [422, 'WhatsApp refused the message.'],
  TOO_MANY_REQUESTS: [429, 'Too many requests.'],
  QUOTA_EXCEEDED: [429, 'The quota of this user is used up.'],
  INTERNAL_ERROR: [500, 'Something went wrong on our side.'],
  NO_OWNER: [503, 'No node runs this connection at the moment.'],
  STORE_UNAVAILABLE: [503, 'The store cannot be reached at the moment.'],
  SERVICE_UNAVAILABLE: [503, 'A part of the system does not answer at the moment.'],
  SHUTTING_DOWN: [503, 'This process is shutting down.'],
  OUTCOME_UNKNOWN: [504, 'It is not known whether the request took effect; repeat it with the same Idempotency-Key.'],
  /* never leave the cluster */
  DUPLICATE_KEY: [500, 'A document with this key exists.'],
  CONDITION_FAILED: [500, 'A conditional write found another state.'],
  SESSION_FENCED: [500, 'Another activation has taken this session over.'],
  SESSION_QUARANTINED: [500, 'The stored session cannot be read; it was left untouched.'],
  CONNECTION_CLOSED: [500, 'The socket is closed.'],
  CONFIG_INVALID: [500, 'The configuration is not valid.'],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorType = keyof typeof ERROR_CATALOGUE;

/** Errors that a client can be shown; the others become INTERNAL_ERROR at the gateway. */
const INTERNAL_TYPES: ReadonlySet<string> = new Set<ErrorType>([
  'DUPLICATE_KEY',
  'CONDITION_FAILED',
  'SESSION_FENCED',
  'SESSION_QUARANTINED',
  'CONNECTION_CLOSED',
  'CONFIG_INVALID',
]);

export class CastellanError extends Error {
  readonly type: ErrorType;
  /** HTTP status */
  readonly code: number;
  /** goes to the client as `details`; never another tenant's data, never a secret */
  readonly data: Record<string, unknown> | undefined;
  /** Moleculer reads this: our errors are never retried blindly */
  readonly retryable = false;

  constructor(type: ErrorType, message?: string, data?: Record<string, unknown>, options?: { cause?: unknown }) {
    super(message ?? ERROR_CATALOGUE[type][1], options);
    this.name = 'CastellanError';
    this.type = type;
    this.code = ERROR_CATALOGUE[type][0];
    this.data = data;
  }
}

/** True for an error of this type, wherever it was thrown (a remote error is no instance of our class). */
export function isErrorType(error: unknown, ...types: ErrorType[]): boolean {
  return types.includes(errorType(error) as ErrorType);
}

export function errorType(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('type' in error)) return undefined;
  return typeof error.type === 'string' ? error.type : undefined;
}

export function isPublicErrorType(type: string | undefined): type is ErrorType {
  return type !== undefined && Object.hasOwn(ERROR_CATALOGUE, type) && !INTERNAL_TYPES.has(type);
}
