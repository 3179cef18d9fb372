/**
 * One action of one service: what the caller sends, what it gets, and how the outside reaches it. The gateway makes its
 * routes, the services their params and the OpenAPI description its text from the same object.
 */
export interface ActionContract {
  /** `service.action` */
  name: string;
  summary: string;
  /** `POST /connection/create` below `/v1/wa` (or an absolute path starting with `//`, outside of it); none = internal */
  rest?: `${'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT'} ${string}`;
  /** who may call it from outside */
  auth: 'public' | 'user' | 'admin';
  /** fastest-validator schema of everything together; strict */
  params: Record<string, unknown>;
  /** which params come from the query string (the rest of a GET's or DELETE's comes from the path) */
  query?: readonly string[];
  /** HTTP status of success */
  status?: 200 | 201 | 202 | 204;
  /** further successful statuses (`202` beside `200`), chosen by the service through `ctx.meta.$statusCode` */
  alsoStatuses?: readonly number[];
  /** name of a schema in `lib/contracts/schemas.ts`, for the OpenAPI description and the tests that check real answers */
  result: string;
  /** error types that it may answer beside the ones that every action may */
  errors?: readonly string[];
  /** a POST that creates: honours `Idempotency-Key` */
  idempotent?: boolean;
  /** begins or ends a dashboard session: is given the request's cookie (`ctx.meta.session`) and answers with one */
  session?: 'begin' | 'end';
  /** an answer that is not JSON */
  produces?: 'image/png' | 'image/svg+xml' | 'text/plain' | 'text/event-stream';
}

/** Who is calling; the gateway puts it into `ctx.meta.auth`. An admin sees every tenant's rows, a user only its own. */
export interface Caller {
  userId: string;
  role: 'admin' | 'user';
  keyId: string;
}

export interface SessionMeta {
  /** of the cookie that the request came with; null = none */
  token: string | null;
  /** the request came over https */
  secure: boolean;
}

export interface CallMeta {
  auth?: Caller;
  requestId?: string;
  /** for actions with `session` only */
  session?: SessionMeta;
  /** present when the client sent an Idempotency-Key: ids of what is created are derived from it, see `reservedId` */
  idempotency?: { reservedUlid: string };
}

export function defineActions<const T extends Record<string, ActionContract>>(actions: T): T {
  return actions;
}
