import { errorOf, offlineError } from './api-error.ts';
import { noteServerTime } from './server-clock.ts';

/*
 * The one way to the API. Who we are travels in an HttpOnly cookie that script cannot read; the browser adds `Origin`,
 * which the gateway compares for everything but GET.
 */

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
export type Query = Record<string, string | number | boolean | undefined | null>;

export interface CallOptions {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** makes repeats of a POST that creates harmless; one is made for every POST without it */
  idempotencyKey?: string;
}

export const API_BASE = '/v1/wa';

let onUnauthorized: () => void = () => {};

/** The session store wants to know when the cookie is no longer good. */
export function whenUnauthorized(run: () => void): void {
  onUnauthorized = run;
}

/**
 * Calls the API.
 * @param path below `/v1/wa` (`/connection/list`), or absolute when it begins with `//` (`//dashboard/session`)
 * @returns the JSON of the answer
 * @throws ApiError; an aborted call rejects with the AbortError instead
 */
export async function call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
  const response = await request(method, path, options);
  return (response.status === 204 ? null : await response.json()) as T;
}

/** The same for answers that are text, such as a picture in SVG. */
export async function callText(method: Method, path: string, options: CallOptions = {}): Promise<string> {
  return (await request(method, path, options)).text();
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> =>
  call<T>('GET', path, { query: query ?? {}, signal });
export const post = <T>(path: string, body?: unknown): Promise<T> => call<T>('POST', path, { body: body ?? {} });
export const patch = <T>(path: string, body: unknown): Promise<T> => call<T>('PATCH', path, { body });
export const del = <T>(path: string): Promise<T> => call<T>('DELETE', path);

/** The path with its query, as it stands in a URL. */
export function urlOf(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') params.set(name, String(value));
  }
  const base = path.startsWith('//') ? path.slice(1) : API_BASE + path;
  return params.size > 0 ? `${base}?${params}` : base;
}

async function request(method: Method, path: string, options: CallOptions): Promise<Response> {
  const { query, body, signal, idempotencyKey } = options;
  const headers: Record<string, string> = {};
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (method === 'POST' && !path.startsWith('//')) headers['idempotency-key'] = idempotencyKey ?? randomKey();
  const response = await fetch(urlOf(path, query), {
    method,
    headers,
    credentials: 'same-origin',
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw offlineError();
  });
  noteServerTime(response.headers.get('date'));
  if (response.ok) return response;
  const error = await errorOf(response);
  if (error.status === 401) onUnauthorized();
  throw error;
}

/** `crypto.randomUUID` is not there over plain HTTP from another host; this is. */
export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
