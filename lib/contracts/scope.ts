import { CastellanError } from '../errors.ts';
import type { Caller, CallMeta } from './action.ts';

/**
 * Tenancy, written once: whoever reads, changes or deletes rows of a tenant spreads `scopeFilter(caller)` into the
 * filter, so that another tenant's row is simply not there (404).
 */

/** @returns who calls. @throws UNAUTHORIZED when the call came without one (an internal call must not need it) */
export function requireCaller(meta: CallMeta): Caller {
  if (!meta.auth) throw new CastellanError('UNAUTHORIZED');
  return meta.auth;
}

/** @returns the condition that every query of this caller carries: its own rows, or all for an admin */
export function scopeFilter(caller: Caller): { userId?: string } {
  return caller.role === 'admin' ? {} : { userId: caller.userId };
}

/**
 * Whose rows a list asks for: an admin may narrow to one user, a user only ever names itself.
 * @throws NOT_FOUND when a user names another one
 */
export function listScope(caller: Caller, userId: string | undefined): { userId?: string } {
  if (caller.role === 'admin') return userId === undefined ? {} : { userId };
  if (userId !== undefined && userId !== caller.userId) throw notFound();
  return { userId: caller.userId };
}

/** The one answer for what is not there and for what is not yours; it never says which. */
export function notFound(): CastellanError {
  return new CastellanError('NOT_FOUND');
}

/** @returns the row. @throws NOT_FOUND when there is none */
export function found<T>(row: T | null | undefined): T {
  if (row === null || row === undefined) throw notFound();
  return row;
}
