import { ERROR_CATALOGUE, type ErrorType, isPublicErrorType } from '../errors.ts';
import type { ActionContract } from './action.ts';
import { SESSION_COOKIE } from './dashboard.contract.ts';
import { isRequired, paramSchema, paramsSchema } from './param-schema.ts';
import { type Route, routesOf } from './route.ts';
import { type JsonSchema, SCHEMAS } from './schemas.ts';

const ANYWHERE: readonly ErrorType[] = [
  'BAD_REQUEST',
  'VALIDATION_ERROR',
  'INTERNAL_ERROR',
  'SERVICE_UNAVAILABLE',
  'STORE_UNAVAILABLE',
];
const WITH_KEY: readonly ErrorType[] = ['UNAUTHORIZED', 'TOO_MANY_REQUESTS'];
const WITH_BODY: readonly ErrorType[] = ['MALFORMED_JSON', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];
const IDEMPOTENT: readonly ErrorType[] = ['IDEMPOTENCY_MISMATCH', 'IDEMPOTENCY_IN_PROGRESS'];

const REQUEST_ID = { description: 'names this request in our logs', schema: { type: 'string' } };
const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'Repeats of the request with the same key, for 24 h, answer what the first one answered.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

/** @returns the OpenAPI 3.1 description of everything that can be called from outside */
export function openApiDocument(actions: readonly ActionContract[]): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const route of routesOf(actions)) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Castellan',
      version: '1',
      summary: 'WhatsApp sessions behind one REST API',
      description: describeErrors(),
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ apiKey: [] }, { bearer: [] }, { session: [] }],
    paths,
    components: {
      schemas: SCHEMAS,
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
        bearer: { type: 'http', scheme: 'bearer' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: SESSION_COOKIE,
          description:
            'Of the dashboard, see `/dashboard/sign-in`. What changes something needs an Origin of this host.',
        },
      },
    },
  };
}

function describeErrors(): string {
  const types = Object.entries(ERROR_CATALOGUE).filter(([type]) => isPublicErrorType(type));
  const lines = types.map(([type, [status, message]]) => `- \`${type}\` (${status}): ${message}`);
  return `Clients must bear new fields and new values of states. Error types:\n\n${lines.join('\n')}`;
}

function operation(route: Route): JsonSchema {
  const { contract } = route;
  return {
    operationId: contract.name.replaceAll(/[.-]/g, '_'),
    tags: [contract.name.split('.')[0]],
    summary: contract.summary,
    ...(contract.auth === 'public' && { security: [] }),
    ...(contract.auth === 'admin' && { description: 'Needs an admin key.' }),
    parameters: parameters(route),
    ...requestBody(route),
    responses: { ...successes(route), ...failures(route) },
  };
}

function parameters({ contract, pathParams, queryParams }: Route): JsonSchema[] {
  const of = (name: string, where: 'path' | 'query') => {
    const rule = contract.params[name];
    const schema = paramSchema(rule);
    const list = schema.type === 'array' && { style: 'form', explode: false };
    return { name, in: where, required: where === 'path' || isRequired(rule), schema, ...list };
  };
  return [
    ...pathParams.map((name) => of(name, 'path')),
    ...queryParams.map((name) => of(name, 'query')),
    ...(contract.idempotent ? [IDEMPOTENCY_KEY] : []),
    ...(contract.produces === 'text/event-stream' ? [LAST_EVENT_ID] : []),
  ];
}

const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  in: 'header',
  description: 'the `id` of the last event that arrived',
  schema: { type: 'string' },
};

function requestBody({ contract, bodyParams }: Route): { requestBody?: JsonSchema } {
  if (bodyParams.length === 0) return {};
  const params = Object.fromEntries(bodyParams.map((name) => [name, contract.params[name]]));
  const required = Object.values(params).some(isRequired);
  return { requestBody: { required, content: { 'application/json': { schema: paramsSchema(params) } } } };
}

function successes({ contract }: Route): Record<string, JsonSchema> {
  const schema = { $ref: `#/components/schemas/${contract.result}` };
  const headers = {
    'X-Request-Id': REQUEST_ID,
    ...(contract.idempotent && {
      'Idempotency-Replayed': { description: '`true` on a repeat', schema: { type: 'string', enum: ['true'] } },
    }),
  };
  const response = {
    description: contract.summary,
    headers,
    content: { [contract.produces ?? 'application/json']: { schema } },
  };
  const statuses = [contract.status ?? 200, ...(contract.alsoStatuses ?? [])];
  return Object.fromEntries(statuses.map((status) => [String(status), response]));
}

function failures(route: Route): Record<string, JsonSchema> {
  const byStatus = new Map<number, string[]>();
  for (const type of errorTypesOf(route)) {
    const status = ERROR_CATALOGUE[type][0];
    byStatus.set(status, [...(byStatus.get(status) ?? []), type]);
  }
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  return Object.fromEntries(
    [...byStatus].map(([status, types]) => [
      String(status),
      { description: types.join(', '), headers: failureHeaders(status), content },
    ]),
  );
}

function failureHeaders(status: number): JsonSchema {
  const wait = { 'Retry-After': { description: 'seconds', schema: { type: 'integer' } } };
  return { 'X-Request-Id': REQUEST_ID, ...((status === 429 || status === 503) && wait) };
}

/** @returns every error type that a route may answer, each once */
function errorTypesOf({ contract, method, pathParams, bodyParams }: Route): Set<ErrorType> {
  return new Set<ErrorType>([
    ...ANYWHERE,
    ...(contract.auth === 'public' ? [] : WITH_KEY),
    ...(contract.auth === 'admin' || contract.session || method !== 'GET' ? (['FORBIDDEN'] as const) : []),
    ...(contract.session === 'begin' ? WITH_KEY : []),
    ...(pathParams.length > 0 || contract.params.userId || contract.params.connectionId
      ? (['NOT_FOUND'] as const)
      : []),
    ...(bodyParams.length > 0 ? WITH_BODY : []),
    ...(method === 'GET' ? [] : (['OUTCOME_UNKNOWN'] as const)),
    ...(contract.idempotent ? IDEMPOTENT : []),
    ...((contract.errors ?? []) as readonly ErrorType[]),
  ]);
}
