import { CastellanError } from '../errors.ts';

/** The query string of a request target, decoded, each name once. No brackets, no nesting: `a[$gt]` is no name of ours. */
export function parseQuery(target: string, allowed: readonly string[]): Record<string, string> {
  const mark = target.indexOf('?');
  const query: Record<string, string> = Object.create(null);
  if (mark === -1) return query;
  for (const pair of target.slice(mark + 1).split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    if (!allowed.includes(name)) throw invalid('There is an unknown query parameter.', name);
    if (name in query) throw invalid('A query parameter is given twice.', name);
    query[name] = decode(equals === -1 ? '' : pair.slice(equals + 1));
  }
  return query;
}

function invalid(message: string, name: string): CastellanError {
  return new CastellanError('VALIDATION_ERROR', message, { fields: [name.slice(0, 64)] });
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    throw new CastellanError('BAD_REQUEST', 'The query string is not well encoded.');
  }
}
