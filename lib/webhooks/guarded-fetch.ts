import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import { CastellanError } from '../errors.ts';
import { isForbiddenAddress, parseTarget, type TargetRules } from './target-address.ts';

export interface GuardedRequest {
  url: string;
  method: 'GET' | 'POST';
  headers: Readonly<Record<string, string>>;
  body?: string;
  /** from the first step (resolving) to the response's head, whatever drips meanwhile; ms */
  timeoutMs: number;
  /** how long the body may take after the head; what came until then is kept; ms */
  bodyTimeoutMs: number;
  /** the body is cut here and the connection closed */
  maxResponseBytes: number;
}

export interface GuardedResponse {
  statusCode: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** the body went on, but was cut */
  truncated: boolean;
}

/**
 * @throws BAD_REQUEST and TARGET_FORBIDDEN (nothing was connected to), otherwise the network's error (`code`:
 * ECONNREFUSED, ENOTFOUND, ETIMEDOUT, ...)
 */
export type GuardedFetch = (request: GuardedRequest) => Promise<GuardedResponse>;

export interface GuardedFetchOptions extends TargetRules {
  /** instead of the system's resolver */
  lookup?: LookupFunction;
}

/**
 * HTTP to an address that a tenant chose. The name is resolved by the connection itself and every address that it has
 * is checked before one is dialled, so that a second answer of DNS cannot differ from the checked one; if one of them
 * is forbidden, none is used. Redirects are answers, not instructions. A connection serves one request.
 */
export function createGuardedFetch({ allowPrivateTargets, lookup = systemLookup }: GuardedFetchOptions): GuardedFetch {
  const filter = { allowPrivateIPAddress: allowPrivateTargets, allowMetaIPAddress: allowPrivateTargets };
  const agents = { http: new RequestFilteringHttpAgent(filter), https: new RequestFilteringHttpsAgent(filter) };
  const checkedLookup = allowPrivateTargets ? lookup : checking(lookup);

  return async (request) => {
    const url = parseTarget(request.url, { allowPrivateTargets });
    const secure = url.protocol === 'https:';
    const options = {
      method: request.method,
      headers: { ...request.headers, connection: 'close', ...contentLength(request.body) },
      agent: secure ? agents.https : agents.http,
      lookup: checkedLookup,
    };
    const outgoing = (secure ? requestHttps : requestHttp)(url, options);
    const deadline = setTimeout(() => outgoing.destroy(withCode('ETIMEDOUT')), request.timeoutMs);
    try {
      const response = await responseHead(outgoing, request.body);
      clearTimeout(deadline);
      return await readBody(response, request);
    } catch (error) {
      throw restoreType(error);
    } finally {
      clearTimeout(deadline);
      outgoing.destroy();
    }
  };
}

function contentLength(body: string | undefined): Record<string, string> {
  return body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
}

/** Wraps a resolver (both of its answer forms) so that a name with a forbidden address does not resolve. */
function checking(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, options, (error, address, family) => {
      const addresses = (typeof address === 'string' ? [{ address }] : (address ?? [])) as LookupAddress[];
      const forbidden = !error && addresses.some((found) => isForbiddenAddress(found.address));
      callback(forbidden ? withCode('TARGET_FORBIDDEN') : error, address, family);
    });
  };
}

function responseHead(outgoing: ReturnType<typeof requestHttp>, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    // Stays for good: an error after the head (a reset while the body is cut off) has nobody else to go to.
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Reads until the end, the limit, the time limit or a broken connection: the head has already said what counts. */
function readBody(response: IncomingMessage, limits: GuardedRequest): Promise<GuardedResponse> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (truncated: boolean) => {
      clearTimeout(timer);
      response.destroy();
      const body = Buffer.concat(chunks).subarray(0, limits.maxResponseBytes);
      resolve({ statusCode: response.statusCode ?? 0, headers: response.headers, body, truncated });
    };
    const timer = setTimeout(finish, limits.bodyTimeoutMs, true);
    timer.unref();
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > limits.maxResponseBytes) finish(true);
    });
    response.once('end', () => finish(false));
    response.on('error', () => finish(true));
  });
}

/** The form that the network's own errors have, so that a socket passes it on unchanged. */
function withCode(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

/** What our check put into the socket comes out of it as our error. */
function restoreType(error: unknown): unknown {
  const forbidden = error instanceof Object && 'code' in error && error.code === 'TARGET_FORBIDDEN';
  return forbidden ? new CastellanError('TARGET_FORBIDDEN') : error;
}
