import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Caller, CallMeta, SessionMeta } from '../contracts/action.ts';
import { SEND_TIMEOUT_MS } from '../contracts/messages.contract.ts';
import type { Route } from '../contracts/route.ts';
import { CastellanError, errorType, isErrorType } from '../errors.ts';
import type { EventLog } from '../events/event-log.port.ts';
import type { Log } from '../log.ts';
import type { Authenticator } from './authenticator.ts';
import { collectParams } from './collect-params.ts';
import { type ErrorResponse, errorResponse } from './error-response.ts';
import { streamEvents } from './event-stream.ts';
import type { Answer, Idempotency } from './idempotency.ts';
import { type JsonObject, readJsonBody } from './json-body.ts';
import type { HttpMetrics } from './metrics.ts';
import { parseQuery } from './query.ts';
import type { RateLimit } from './rate-limit.ts';
import { assertSameOrigin } from './same-origin.ts';
import { setSecurityHeaders } from './security-headers.ts';
import { isSecure, sessionTokenOf } from './session-cookie.ts';

const MAX_BODY_BYTES = 1_048_576;
/** An action that waits by itself (`timeoutMs`) gets that much more. */
const CALL_TIMEOUT_MS = 30_000;

export interface CallOptions {
  meta: CallMeta;
  timeoutMs: number;
}

export interface CallResult {
  result: unknown;
  /** what the action chose, if it did */
  status?: number;
  headers?: Record<string, string>;
}

export interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
  requestId: string;
  pathParams: Record<string, string>;
  /** calls an action of the system */
  call(action: string, params: JsonObject, options: CallOptions): Promise<CallResult>;
}

export interface RequestHandlerParts {
  authenticator: Authenticator;
  rateLimit: RateLimit;
  idempotency: Idempotency;
  metrics: HttpMetrics;
  events: EventLog;
  clock: Clock;
  log: Log;
  /** aborted when the process begins to drain */
  draining: AbortSignal;
}

/** Headers go with a first answer only: they are not kept for its repeats. */
type AnswerWithHeaders = Answer & { headers?: Record<string, string> };

export type RequestHandler = (route: Route, exchange: Exchange) => Promise<void>;

/**
 * What happens to one request, cheapest refusals first: who is it, may it, not too often; then query and body, each
 * checked apart; then the action, once per Idempotency-Key. Never rejects: every error becomes an answer.
 */
export function createRequestHandler(parts: RequestHandlerParts): RequestHandler {
  const { authenticator, rateLimit, idempotency, metrics, events, clock, log, draining } = parts;

  async function admit({ contract }: Route, req: IncomingMessage): Promise<Caller | undefined> {
    if (contract.auth === 'public') return undefined;
    const caller = await authenticator.authenticate(req);
    if (contract.auth === 'admin' && caller.role !== 'admin') throw new CastellanError('FORBIDDEN');
    /* an admin is the operator, whom a limit between tenants does not concern */
    const retryAfterSeconds = caller.role === 'admin' ? 0 : rateLimit.take(caller.userId);
    if (retryAfterSeconds > 0) throw new CastellanError('TOO_MANY_REQUESTS', undefined, { retryAfterSeconds });
    return caller;
  }

  /** @returns whether the same credentials would open the same doors now */
  async function isStill(caller: Caller | undefined, req: IncomingMessage): Promise<boolean> {
    try {
      const now = await authenticator.authenticate(req);
      return now.userId === caller?.userId && now.role === caller.role;
    } catch (error) {
      if (isErrorType(error, 'UNAUTHORIZED')) return false;
      throw error;
    }
  }

  async function paramsOf(route: Route, { req, pathParams }: Exchange): Promise<JsonObject> {
    const query = parseQuery(req.url ?? '', route.queryParams);
    const body = await readJsonBody(req, MAX_BODY_BYTES);
    return collectParams(route, pathParams, query, body);
  }

  async function call(
    { contract, method }: Route,
    params: JsonObject,
    meta: CallMeta,
    { call }: Exchange,
  ): Promise<AnswerWithHeaders> {
    const asked = typeof params.timeoutMs === 'number' ? params.timeoutMs : 0;
    const wait = Math.min(Math.max(asked, 0), SEND_TIMEOUT_MS.max);
    const options = { meta, timeoutMs: CALL_TIMEOUT_MS + wait };
    const ask = () => call(contract.name, params, options);
    const { result, status, headers } = await ask().catch((error: unknown) => {
      /* its node vanished: what only reads, another one can answer */
      if (method === 'GET' && errorType(error) === 'REQUEST_REJECTED') return ask();
      throw error;
    });
    return { status: status ?? contract.status ?? 200, body: result, ...(headers && { headers }) };
  }

  /** A 422 has had an effect (the message is stored and failed), so it is an answer to keep like a success. */
  async function callOnce(route: Route, params: JsonObject, caller: Caller, key: string, exchange: Exchange) {
    const { req, requestId } = exchange;
    const path = (req.url ?? '').split('?')[0] as string;
    const request = { userId: caller.userId, key, method: route.method, path, body: params };
    return idempotency.once(request, async (reservedUlid) => {
      try {
        return await call(route, params, { auth: caller, requestId, idempotency: { reservedUlid } }, exchange);
      } catch (error) {
        const response = errorResponse(error, requestId, false);
        if (response.status !== 422) throw error;
        return { status: response.status, body: response.body };
      }
    });
  }

  async function respond(route: Route, exchange: Exchange): Promise<void> {
    const { req, res, requestId } = exchange;
    const caller = await admit(route, req);
    const params = await paramsOf(route, exchange);
    const { contract } = route;
    const session = contract.session && sessionMeta(contract.session, req);
    const meta: CallMeta = { ...(caller && { auth: caller }), requestId, ...(session && { session }) };
    if (contract.produces === 'text/event-stream') {
      const { body } = await call(route, withLastEventId(params, req), meta, exchange);
      const query = body as Parameters<typeof streamEvents>[0]['query'];
      await streamEvents({ log: events, req, res, query, draining, mayGoOn: () => isStill(caller, req) });
      return;
    }
    const key = req.headers['idempotency-key'];
    if (contract.idempotent && caller && typeof key === 'string') {
      const { answer, replayed } = await callOnce(route, params, caller, key, exchange);
      if (replayed) res.setHeader('Idempotency-Replayed', 'true');
      sendAnswer(res, answer);
    } else {
      sendAnswer(res, await call(route, params, meta, exchange), contract.produces);
    }
  }

  return async function handle(route, exchange) {
    const { req, res, requestId } = exchange;
    const startedAt = clock.monotonic();
    res.once('close', () => {
      metrics.observe(route.method, route.path, res.statusCode, clock.monotonic() - startedAt);
    });
    setSecurityHeaders(res);
    try {
      if (req.method !== route.method) {
        /* moleculer-web takes a preflight for the method that it asks about */
        res.setHeader('Allow', route.method);
        throw new CastellanError('METHOD_NOT_ALLOWED');
      }
      await respond(route, exchange);
    } catch (error) {
      const response = errorResponse(error, requestId, route.method === 'GET');
      if (response.status === 500) log.error({ requestId, route: route.path, err: error }, 'A request failed.');
      sendError(res, response);
    }
  };
}

/** Signing in needs no cookie yet, but no other page may do it for one; signing out acts by the cookie. */
function sessionMeta(step: 'begin' | 'end', req: IncomingMessage): SessionMeta {
  const token = sessionTokenOf(req.headers);
  assertSameOrigin(req.headers, step === 'end' && token !== null);
  return { token, secure: isSecure(req.headers) };
}

/** The header of a browser that comes back wins over the `after` that it was given at first. */
function withLastEventId(params: JsonObject, req: IncomingMessage): JsonObject {
  const last = req.headers['last-event-id'];
  return typeof last === 'string' && last !== '' ? { ...params, after: last } : params;
}

function sendAnswer(res: ServerResponse, { status, body, headers }: AnswerWithHeaders, mediaType?: string): void {
  for (const [name, value] of Object.entries(headers ?? {})) res.setHeader(name, value);
  if (mediaType === undefined) {
    sendJson(res, status, body);
    return;
  }
  const bytes = toBytes(body);
  const charset = mediaType === 'image/png' ? '' : '; charset=utf-8';
  res.writeHead(status, { 'Content-Type': mediaType + charset, 'Content-Length': bytes.length });
  res.end(bytes);
}

/** A Buffer that came over the bus as JSON is `{type: 'Buffer', data: [...]}`. */
function toBytes(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  const { type, data } = (body ?? {}) as { type?: unknown; data?: unknown };
  return type === 'Buffer' && Array.isArray(data) ? Buffer.from(data as number[]) : Buffer.from(String(body));
}

export function sendError(res: ServerResponse, { status, retryAfter, body }: ErrorResponse): void {
  if (res.headersSent || res.destroyed) {
    res.end();
    return;
  }
  if (retryAfter !== null) res.setHeader('Retry-After', String(retryAfter));
  if (status === 401) res.setHeader('WWW-Authenticate', 'Bearer');
  sendJson(res, status, body);
}

function sendJson(res: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body ?? null));
  res.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': bytes.length });
  res.end(bytes);
}
