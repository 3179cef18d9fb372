import { CastellanError } from '../errors.ts';

/** Headers that say how this message is framed or signed; a tenant's own would break or forge that. */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const RESERVED_PREFIXES = ['webhook-', 'proxy-', 'sec-'];

const NAME_PATTERN = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
/** visible ASCII, spaces and tabs inside: nothing that ends a line */
const VALUE_PATTERN = /^(?:[\x21-\x7e](?:[\x20-\x7e\t]{0,1022}[\x21-\x7e])?)?$/;
const MAX_HEADERS = 20;

/**
 * Checks the extra headers that a webhook asks for.
 * @returns them with lower-case names
 * @throws BAD_REQUEST with the name at fault; never with a value
 */
export function checkHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(headers);
  if (entries.length > MAX_HEADERS) throw refused(`There may be at most ${MAX_HEADERS} headers.`);
  const checked = new Map<string, string>();
  for (const [name, value] of entries) {
    const key = name.toLowerCase();
    if (!NAME_PATTERN.test(name))
      throw refused('A header name has letters, digits, "-" and "_" and begins with a letter.');
    if (isReserved(key)) throw refused(`The header "${key}" is set by Castellan.`, key);
    if (!VALUE_PATTERN.test(value)) throw refused(`The value of "${key}" must be one line of printable ASCII.`, key);
    if (checked.has(key)) throw refused(`The header "${key}" is there twice.`, key);
    checked.set(key, value);
  }
  return Object.fromEntries(checked);
}

function isReserved(name: string): boolean {
  return RESERVED_NAMES.has(name) || RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

function refused(message: string, header?: string): CastellanError {
  return new CastellanError('BAD_REQUEST', message, header === undefined ? undefined : { header });
}
