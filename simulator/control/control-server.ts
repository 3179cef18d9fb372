import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { IqError } from '../server/iq-error.ts';
import { ApiError, invalid } from './api-error.ts';
import type { Controlled } from './controlled.ts';
import { PlainText, Router } from './router.ts';
import { accountRoutes } from './routes/accounts.ts';
import { faultRoutes } from './routes/faults.ts';
import { groupRoutes } from './routes/groups.ts';
import { messageRoutes } from './routes/messages.ts';
import { metaRoutes } from './routes/meta.ts';
import { phoneRoutes } from './routes/phones.ts';
import { witnessRoutes } from './routes/witness.ts';

const maxBodyBytes = 32 * 1024 * 1024;

/** The HTTP control API: JSON in and out, errors as `{error: {type, message}}`. It has no login: keep it on loopback. */
export function createControlServer(simulator: () => Controlled): Server {
  const router = new Router([
    ...metaRoutes(simulator),
    ...accountRoutes(simulator),
    ...phoneRoutes(simulator),
    ...messageRoutes(simulator),
    ...groupRoutes(simulator),
    ...faultRoutes(simulator),
    ...witnessRoutes(simulator),
  ]);
  return createServer((request, response) => {
    answer(router, request, response).catch(() => response.destroy());
  });
}

async function answer(router: Router, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    // a web page in a browser on this machine has no business here
    if (request.headers.origin !== undefined) throw new ApiError(403, 'FORBIDDEN', 'Not for browsers');
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://control');
    const body = await readBody(request);
    const query = Object.fromEntries(searchParams);
    const result = await router.handle(request.method ?? 'GET', pathname, { body, query });
    if (result instanceof PlainText) send(response, 200, 'text/plain; charset=utf-8', result.text);
    else send(response, 200, 'application/json', JSON.stringify(result ?? {}));
  } catch (error) {
    const { status, type, message } = asApiError(error);
    send(response, status, 'application/json', JSON.stringify({ error: { type, message } }));
  }
}

/** What a device or the server refused is the caller's mistake as a rule, so it is told in full. */
function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof IqError) return new ApiError(409, 'REFUSED_BY_SERVER', `${error.code} ${error.message}`);
  return new ApiError(409, 'REFUSED', error instanceof Error ? error.message : String(error));
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new ApiError(413, 'TOO_LARGE', `The body is larger than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  if (size === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    throw invalid('The body is not JSON');
  }
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }).end(body);
}
