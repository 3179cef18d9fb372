/** An answer other than success: `{error: {type, message}}`. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.type = type;
  }
}

export const invalid = (message: string): ApiError => new ApiError(400, 'INVALID', message);
export const missing = (message: string): ApiError => new ApiError(404, 'NOT_FOUND', message);
