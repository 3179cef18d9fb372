import type { ErrorType } from '../../lib/errors.ts';

/** What the API answers with, and two kinds of our own: nobody answered, or not in the API's form. */
export type ApiErrorType = ErrorType | 'OFFLINE' | 'UNREADABLE';

export interface FieldProblem {
  field: string;
  rule: string;
  expected?: unknown;
}

/** Every failed call is one of these; compare `type`, show `message`. */
export class ApiError extends Error {
  readonly type: ApiErrorType;
  /** HTTP status, 0 when there was no answer */
  readonly status: number;
  readonly requestId: string | null;
  readonly details: Record<string, unknown>;
  /** seconds, from Retry-After */
  readonly retryAfter: number | null;

  constructor(type: ApiErrorType, message: string, rest: Partial<Omit<ApiError, 'type' | 'message'>> = {}) {
    super(message);
    this.name = 'ApiError';
    this.type = type;
    this.status = rest.status ?? 0;
    this.requestId = rest.requestId ?? null;
    this.details = rest.details ?? {};
    this.retryAfter = rest.retryAfter ?? null;
  }

  /** Which fields the API found wrong; empty when it was something else. */
  get problems(): FieldProblem[] {
    return Array.isArray(this.details.problems) ? (this.details.problems as FieldProblem[]) : [];
  }

  /** Trying again may help by itself. */
  get passing(): boolean {
    return this.type === 'OFFLINE' || this.status === 503 || this.status === 429;
  }
}

/** Whatever was thrown, as something that can be shown. */
export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  return new ApiError('UNREADABLE', thrown instanceof Error ? thrown.message : String(thrown));
}

export function offlineError(): ApiError {
  return new ApiError('OFFLINE', 'Castellan does not answer. It is tried again by itself.');
}

/** The error that a refused answer stands for. */
export async function errorOf(response: Response): Promise<ApiError> {
  const { status } = response;
  const after = Number(response.headers.get('retry-after'));
  const retryAfter = Number.isFinite(after) && after > 0 ? after : null;
  const body: unknown = await response.json().catch(() => null);
  const error = (body as { error?: Record<string, unknown> } | null)?.error;
  if (typeof error?.type !== 'string') {
    return new ApiError('UNREADABLE', `The answer was not understood (HTTP ${status}).`, { status, retryAfter });
  }
  const details = (error.details ?? {}) as Record<string, unknown>;
  const requestId = typeof error.requestId === 'string' ? error.requestId : null;
  return new ApiError(error.type as ApiErrorType, String(error.message), { status, requestId, details, retryAfter });
}
