import { ApiError, missing } from './api-error.ts';

export interface ApiRequest {
  /** from the path's `:names` */
  params: Record<string, string>;
  /** as JSON; `{}` when there is none */
  body: unknown;
  query: Record<string, string>;
}

export type Handler = (request: ApiRequest) => unknown;

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/accounts/:pn/inbox` */
  path: string;
  handle: Handler;
}

/** Plain text instead of JSON. */
export class PlainText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export class Router {
  private readonly routes: (Route & { segments: string[] })[];

  constructor(routes: Route[]) {
    this.routes = routes.map((route) => ({ ...route, segments: route.path.split('/') }));
  }

  handle(method: string, path: string, request: Omit<ApiRequest, 'params'>): unknown {
    const segments = path.split('/');
    const here = this.routes.filter((route) => paramsOf(route.segments, segments));
    if (here.length === 0) throw missing(`There is no ${path}`);
    const route = here.find((candidate) => candidate.method === method);
    if (!route)
      throw new ApiError(405, 'METHOD_NOT_ALLOWED', `${path} knows ${here.map((each) => each.method).join(', ')}`);
    return route.handle({ ...request, params: paramsOf(route.segments, segments) ?? {} });
  }
}

function paramsOf(pattern: string[], segments: string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const actual = segments[index] ?? '';
    if (expected.startsWith(':')) params[expected.slice(1)] = decode(actual);
    else if (expected !== actual) return undefined;
  }
  return params;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw missing('The path is not properly encoded');
  }
}
