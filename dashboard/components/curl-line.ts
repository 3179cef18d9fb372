import { type Method, type Query, urlOf } from '../api/client.ts';

/** A call of the API, as a page makes it. */
export interface CurlCall {
  /** what it does, when a page shows several */
  title?: string;
  method?: Method;
  /** as for the API client */
  path: string;
  query?: Query;
  body?: unknown;
}

/**
 * The same thing as a line for a shell, safe to be pasted whatever the values are; the key stays a variable of the shell,
 * it is not known here.
 * @param origin `https://host:port`
 */
export function curlLine({ method = 'GET', path, query, body }: CurlCall, origin: string): string {
  const parts = ['curl -s'];
  if (method !== 'GET' && !(method === 'POST' && body !== undefined)) parts.push(`-X ${method}`);
  parts.push(quoted(origin + urlOf(path, query)), '-H "X-Api-Key: $CASTELLAN_KEY"');
  if (path === '/event/stream') parts.splice(1, 0, '-N');
  if (body !== undefined) parts.push("-H 'content-type: application/json'", `-d ${quoted(JSON.stringify(body))}`);
  return parts.join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
