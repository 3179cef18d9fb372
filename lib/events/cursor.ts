import { CastellanError } from '../errors.ts';

/**
 * A cursor names a place between two events: everything up to `position` was seen. Positions follow commit order, so
 * nothing ever appears behind a cursor later. Clients get it as an opaque string that says its own version.
 */
const CURSOR_PATTERN = /^1:(0|[1-9]\d{0,15})$/;

export const START_OF_LOG = 0;

/** @param position as the store gave it; 0 = before the first event */
export function encodeCursor(position: number): string {
  return Buffer.from(`1:${position}`).toString('base64url');
}

/** @throws BAD_REQUEST when it is none of ours */
export function decodeCursor(cursor: string): number {
  const match = CURSOR_PATTERN.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  const position = Number(match?.[1]);
  if (!Number.isSafeInteger(position) || encodeCursor(position) !== cursor) {
    throw new CastellanError('BAD_REQUEST', 'The cursor is not one that this API gave out.');
  }
  return position;
}
