import type { Route } from '../contracts/route.ts';
import { notFound } from '../contracts/scope.ts';
import { CastellanError } from '../errors.ts';
import type { JsonObject } from './json-body.ts';

interface Rule {
  type?: string;
  pattern?: RegExp;
}

/**
 * Path, query and body as one params object. A name is taken from its own place only: a `userId` in the body cannot
 * stand in for the path's.
 * @throws VALIDATION_ERROR; NOT_FOUND for a path with an id that nothing can have
 */
export function collectParams(
  route: Route,
  path: Record<string, string>,
  query: Record<string, string>,
  body: JsonObject,
): JsonObject {
  const unknown = Object.keys(body).filter((name) => !route.bodyParams.includes(name));
  if (unknown.length > 0) {
    const fields = unknown.slice(0, 10).map((name) => name.slice(0, 64));
    throw new CastellanError('VALIDATION_ERROR', 'There are unknown fields in the body.', { fields });
  }
  const params: JsonObject = { ...body };
  for (const name of route.pathParams) params[name] = idOfPath(path[name] ?? '', route.contract.params[name]);
  for (const name of Object.keys(query)) {
    params[name] = fromText(name, query[name] as string, route.contract.params[name]);
  }
  return params;
}

function idOfPath(value: string, rule: unknown): string {
  const { pattern } = (rule ?? {}) as Rule;
  if (pattern && !pattern.test(value)) throw notFound();
  return value;
}

/** What a string of the query means by its rule; whatever does not fit is refused, never bent. */
function fromText(name: string, value: string, rule: unknown): unknown {
  const { type } = (rule ?? {}) as Rule;
  if (type === 'number') return /^-?\d{1,15}$/.test(value) ? Number(value) : refuse(name, 'a whole number');
  if (type === 'boolean')
    return value === 'true' || value === 'false' ? value === 'true' : refuse(name, 'true or false');
  if (type === 'array') return value === '' ? [] : value.split(',');
  return value;
}

function refuse(name: string, wanted: string): never {
  throw new CastellanError('VALIDATION_ERROR', `${name} must be ${wanted}.`, { fields: [name] });
}
