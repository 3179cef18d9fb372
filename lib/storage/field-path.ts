import { CastellanError } from '../errors.ts';

/**
 * Field paths of filters, sorts and updates: names joined by dots, reaching into objects (never into arrays). A path
 * becomes part of a statement's text, so what is not a plain name is refused here and nowhere else.
 */
const PATH_PATTERN = /^[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_-]*)*$/;
const MAX_PATH_LENGTH = 200;
const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export type PlainObject = Record<string, unknown>;

/** True for objects made by a literal or JSON.parse; false for arrays, bytes, dates, class instances and null. */
export function isPlainObject(value: unknown): value is PlainObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // compared by shape: an object from another realm (a worker, a test's sandbox) has another Object.prototype
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

export function badRequest(message: string): CastellanError {
  return new CastellanError('BAD_REQUEST', message);
}

/** @returns the names of the path. @throws BAD_REQUEST when it is not a plain dotted path */
export function parsePath(path: string): string[] {
  const names = path.length <= MAX_PATH_LENGTH && PATH_PATTERN.test(path) ? path.split('.') : [];
  if (names.length === 0 || names.some((name) => FORBIDDEN_NAMES.has(name))) {
    throw badRequest(`${JSON.stringify(path.slice(0, MAX_PATH_LENGTH))} is not a field name.`);
  }
  return names;
}

/** @returns the value at the path; undefined when any part of it is missing or no object. */
export function getAt(doc: object, names: readonly string[]): unknown {
  let value: unknown = doc;
  for (const name of names) {
    if (!isPlainObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** The object that holds the last name of the path, made on the way. @throws BAD_REQUEST when something else is there */
function holderOf(doc: PlainObject, names: readonly string[]): PlainObject {
  let holder = doc;
  for (const name of names.slice(0, -1)) {
    if (!Object.hasOwn(holder, name)) holder[name] = {};
    const next = holder[name];
    if (!isPlainObject(next)) throw badRequest(`${names.join('.')} leads through ${name}, which is no object.`);
    holder = next;
  }
  return holder;
}

/** Sets in place. @throws BAD_REQUEST when the path leads through something that is no object */
export function setAt(doc: PlainObject, names: readonly string[], value: unknown): void {
  holderOf(doc, names)[names.at(-1) as string] = value;
}

export function unsetAt(doc: PlainObject, names: readonly string[]): void {
  const holder = names.length === 1 ? doc : getAt(doc, names.slice(0, -1));
  if (isPlainObject(holder)) delete holder[names.at(-1) as string];
}
