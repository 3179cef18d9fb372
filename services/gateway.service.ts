import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Service, ServiceSchema } from 'moleculer';
import ApiGateway from 'moleculer-web';
import type { Caller, SessionMeta } from '../lib/contracts/action.ts';
import { connectionsContract } from '../lib/contracts/connections.contract.ts';
import { type DashboardActions, dashboardContract } from '../lib/contracts/dashboard.contract.ts';
import { type GatewayActions, gatewayContract, type StreamQuery } from '../lib/contracts/gateway.contract.ts';
import { ALL_ACTIONS } from '../lib/contracts/index.ts';
import { openApiDocument } from '../lib/contracts/openapi.ts';
import { type Route, routesOf } from '../lib/contracts/route.ts';
import { requireCaller, scopeFilter } from '../lib/contracts/scope.ts';
import { usersContract } from '../lib/contracts/users.contract.ts';
import { CastellanError } from '../lib/errors.ts';
import { createAuthenticator } from '../lib/http/authenticator.ts';
import { createDashboardPages } from '../lib/http/dashboard-pages.ts';
import { createDashboardSessions } from '../lib/http/dashboard-sessions.ts';
import { docsPages } from '../lib/http/docs-pages.ts';
import { errorResponse } from '../lib/http/error-response.ts';
import { createHttpServer } from '../lib/http/http-server.ts';
import { createIdempotency } from '../lib/http/idempotency.ts';
import { createKeyLookUp } from '../lib/http/key-look-up.ts';
import { createHttpMetrics } from '../lib/http/metrics.ts';
import { createRateLimit } from '../lib/http/rate-limit.ts';
import { type CallOptions, createRequestHandler, type Exchange, sendError } from '../lib/http/request-handler.ts';
import { requestIdOf } from '../lib/http/request-id.ts';
import { setSecurityHeaders } from '../lib/http/security-headers.ts';
import { createSigning, type Signed, signedInView } from '../lib/http/signing.ts';
import type { Runtime } from '../lib/runtime.ts';
import { type CallContext, defineService } from '../mixins/define-service.ts';

type WebRequest = IncomingMessage & {
  $ctx: Context<unknown, Record<string, unknown>>;
  $params?: { params?: Record<string, string> };
  parsedUrl?: string;
};

/** What the starter uses of the running service. */
export interface GatewayService extends Service {
  url(): string;
  /** Takes no more requests, ends streams, waits for what is being answered. */
  drain(): Promise<void>;
}

/**
 * The way in. moleculer-web finds the route; everything else about a request happens in `lib/http`. There are no routes
 * but those of the contracts, so that nothing of the system can be called from outside by accident.
 */
export default function gatewayService(runtime: Runtime): ServiceSchema {
  const { config, clock, log, store, vault, events } = runtime;
  const http = createHttpServer({ host: config.host, port: config.port });
  const metrics = createHttpMetrics(store);
  const document = openApiDocument(ALL_ACTIONS);
  const routes = routesOf(ALL_ACTIONS);
  let lookUp: (hash: string) => Promise<Caller | null>;

  const rateLimit = createRateLimit(clock, config.rateLimitPerSecond);
  const sessions = createDashboardSessions({ store, vault, clock });
  const authenticator = createAuthenticator({
    clock,
    adminKey: runtime.admin.key,
    sessions,
    keyedHash: vault.keyedHash,
    lookUp: (hash) => lookUp(hash),
  });
  const signing = createSigning({ authenticator, sessions, rateLimit });
  const pages = createDashboardPages(config.dashboardDir);

  const handle = createRequestHandler({
    authenticator,
    rateLimit,
    idempotency: createIdempotency({ store, vault, clock, isRefusal }),
    metrics,
    events,
    clock,
    log,
    draining: http.draining,
  });

  const base = defineService<GatewayActions & DashboardActions>({
    name: 'gateway',
    contract: { ...gatewayContract, ...dashboardContract },
    actions: {
      streamEvents: (params, ctx) => streamQuery(params, ctx),
      live: () => ({ status: 'live' }),
      /* The store and the bus are no part of it: they are away for every gateway at once, and a gateway that nobody sends
         requests to any more cannot answer 503 with Retry-After. */
      ready() {
        if (http.draining.aborted) throw new CastellanError('SHUTTING_DOWN');
        return { status: 'ready' };
      },
      metrics: () => metrics.render(),
      openapi: () => document,
      signIn: ({ key }, ctx) => withCookie(ctx, (session) => signing.signIn(key, session)),
      signOut: (_, ctx) => withCookie(ctx, (session) => signing.signOut(session)),
      session: (_, ctx) => signedInView(requireCaller(ctx.meta)),
    },
  });

  const aliases = Object.fromEntries([
    ...routes.map((route) => [`${route.method} ${route.path}`, toAlias(route, handle)]),
    ...docsPages().map((page) => [`GET ${page.path}`, (_: WebRequest, res: ServerResponse) => page.send(res)]),
  ]);

  return {
    ...base,
    mixins: [ApiGateway as Partial<ServiceSchema>],
    settings: {
      /* the HTTP server is ours: its deadlines, its drain, and an error instead of an exit when the port is taken */
      server: false,
      logRequest: null,
      logResponse: null,
      logRequestParams: null,
      logRouteRegistration: null,
      rootCallOptions: { tracking: false },
      routes: [
        {
          path: '/',
          aliases,
          mappingPolicy: 'restrict',
          mergeParams: false,
          bodyParsers: false,
          logging: false,
          pathToRegexpOptions: { sensitive: true },
          onError: answerError,
        },
      ],
      onError: answerError,
    },
    /* moleculer-web's own actions would let anyone on the bus rewrite the routes */
    actions: { ...base.actions, listAliases: false, addRoute: false, removeRoute: false },
    methods: {
      url: () => http.url(),
      drain: () => http.drain(),
    },
    created(this: Service) {
      lookUp = createKeyLookUp((hash, timeout) =>
        this.broker.call(usersContract.authenticate.name, { hash }, { timeout }),
      );
      http.onRequest((req, res) => {
        const { headers } = req;
        headers['x-request-id'] = requestIdOf(headers['x-request-id']);
        delete headers['x-correlation-id'];
        if (pages.answer(req, res)) return;
        (this as unknown as { httpHandler(req: IncomingMessage, res: ServerResponse): void }).httpHandler(req, res);
      });
    },
    started: () => http.listen(),
    async stopped() {
      await http.drain();
      metrics.stop();
    },
  } as ServiceSchema;
}

/** A filter by connection must be the caller's own; `connections.get` answers 404 otherwise. */
async function streamQuery(params: GatewayActions['streamEvents']['params'], ctx: CallContext): Promise<StreamQuery> {
  const caller = requireCaller(ctx.meta);
  const { connectionId } = params;
  if (connectionId !== undefined) await ctx.call(connectionsContract.get.name, { connectionId });
  return { ...params, ...scopeFilter(caller) };
}

/** Signing in and out answer with a cookie, beside what they say. */
async function withCookie<T>(ctx: CallContext, act: (session: SessionMeta) => Promise<Signed<T>>): Promise<T> {
  const { result, cookie } = await act(ctx.meta.session ?? { token: null, secure: false });
  if (cookie !== null) ctx.meta.$responseHeaders = { 'Set-Cookie': cookie };
  return result;
}

function toAlias(route: Route, handle: ReturnType<typeof createRequestHandler>) {
  return (req: WebRequest, res: ServerResponse): void => {
    const ctx = req.$ctx;
    const requestId = String(req.headers['x-request-id']);
    const pathParams = req.$params?.params ?? {};
    /* another gateway's readiness or metrics are not this one's, not even while its own service is being registered */
    const here = route.contract.name.startsWith('gateway.') ? { nodeID: ctx.broker.nodeID } : {};
    async function call(action: string, params: object, { meta, timeoutMs }: CallOptions) {
      const result: unknown = await ctx.call(action, params, { meta, timeout: timeoutMs, ...here });
      const { $statusCode, $responseHeaders } = ctx.meta;
      return {
        result,
        ...(typeof $statusCode === 'number' && { status: $statusCode }),
        ...($responseHeaders !== undefined && { headers: $responseHeaders as Record<string, string> }),
      };
    }
    const exchange: Exchange = { req, res, requestId, pathParams, call };
    void handle(route, exchange);
  };
}

/** For what never reached a route: 404, or 405 when the path takes other methods. */
function answerError(this: Service, req: WebRequest, res: ServerResponse, error: unknown): void {
  setSecurityHeaders(res);
  const requestId = String(req.headers['x-request-id']);
  const methods = methodsAt(this, req);
  if (methods.length > 0) res.setHeader('Allow', methods.join(', '));
  const notRouted = (error as { code?: unknown } | null)?.code === 404;
  const shown = notRouted ? new CastellanError(methods.length > 0 ? 'METHOD_NOT_ALLOWED' : 'NOT_FOUND') : error;
  sendError(res, errorResponse(shown, requestId, true));
}

function methodsAt(service: Service, req: WebRequest): string[] {
  const { aliases } = service as unknown as { aliases: { method: string; re: RegExp }[] };
  const path = req.parsedUrl ?? '';
  return [...new Set(aliases.filter(({ re }) => re.test(path)).map(({ method }) => method))];
}

/** Whether an error says that nothing was created, so that its Idempotency-Key is free again. */
function isRefusal(error: unknown): boolean {
  return errorResponse(error, '', false).status < 500;
}
