import { invalid } from './api-error.ts';

/** Reads one value of a request; throws an ApiError that names the field. */
export type Reader<T> = (value: unknown, name: string) => T;

type Shape = Record<string, Reader<unknown>>;
export type Fields<S extends Shape> = { [K in keyof S]: ReturnType<S[K]> };

export const text =
  ({ pattern, max = 65_536, min = 1 }: { pattern?: RegExp; max?: number; min?: number } = {}): Reader<string> =>
  (value, name) => {
    if (typeof value !== 'string') throw invalid(`${name} must be a string`);
    if (value.length < min || value.length > max) throw invalid(`${name} must have ${min} to ${max} characters`);
    if (pattern && !pattern.test(value)) throw invalid(`${name} must match ${pattern}`);
    return value;
  };

/** Takes digits as well, for query strings. */
export const integer =
  ({ min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {}): Reader<number> =>
  (value, name) => {
    const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number)) throw invalid(`${name} must be an integer`);
    if (number < min || number > max) throw invalid(`${name} must be from ${min} to ${max}`);
    return number;
  };

export const decimal =
  ({ min = 0, max = Number.MAX_VALUE }: { min?: number; max?: number } = {}): Reader<number> =>
  (value, name) => {
    const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number)) throw invalid(`${name} must be a number`);
    if (number < min || number > max) throw invalid(`${name} must be from ${min} to ${max}`);
    return number;
  };

export const flag: Reader<boolean> = (value, name) => {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw invalid(`${name} must be true or false`);
};

export const oneOf =
  <const T extends string>(...allowed: T[]): Reader<T> =>
  (value, name) => {
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw invalid(`${name} must be one of ${allowed.join(', ')}`);
    return found;
  };

export const list =
  <T>(item: Reader<T>, { min = 0, max = 10_000 }: { min?: number; max?: number } = {}): Reader<T[]> =>
  (value, name) => {
    if (!Array.isArray(value)) throw invalid(`${name} must be a list`);
    if (value.length < min || value.length > max) throw invalid(`${name} must have ${min} to ${max} items`);
    return value.map((each, index) => item(each, `${name}[${index}]`));
  };

export const optional =
  <T>(reader: Reader<T>): Reader<T | undefined> =>
  (value, name) =>
    value === undefined ? undefined : reader(value, name);

/** String values by name. */
export const dictionary: Reader<Record<string, string>> = (value, name) => {
  const read = text({ min: 0, max: 1_000 });
  return Object.fromEntries(
    Object.entries(plainObject(value, name)).map(([key, each]) => [key, read(each, `${name}.${key}`)]),
  );
};

/** An object with exactly these fields; unknown ones are refused. */
export const fields =
  <S extends Shape>(shape: S): Reader<Fields<S>> =>
  (value, name) => {
    const given = plainObject(value, name);
    for (const key of Object.keys(given)) {
      if (!Object.hasOwn(shape, key)) throw invalid(`${name} has an unknown field ${JSON.stringify(key)}`);
    }
    const entries = Object.entries(shape).map(([key, reader]) => [key, reader(given[key], `${name}.${key}`)]);
    return Object.fromEntries(entries.filter(([, each]) => each !== undefined)) as Fields<S>;
  };

function plainObject(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${name} must be an object`);
  return value as Record<string, unknown>;
}

export const phoneNumber: Reader<string> = text({ pattern: /^\d{6,15}$/ });
/** a phone number or a JID of an account or a group */
export const address: Reader<string> = text({
  pattern: /^(\+?\d{6,15}|[\d-]+@(s\.whatsapp\.net|lid|g\.us))$/,
  max: 100,
});
