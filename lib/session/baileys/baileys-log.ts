import type { Log } from '../../log.ts';

/** The part of pino that Baileys calls. */
export interface BaileysLog {
  level: string;
  child(fields: Record<string, unknown>): BaileysLog;
  trace(fields: unknown, message?: string): void;
  debug(fields: unknown, message?: string): void;
  info(fields: unknown, message?: string): void;
  warn(fields: unknown, message?: string): void;
  error(fields: unknown, message?: string): void;
}

const silent = (): void => {};

/**
 * What Baileys logs, without what it logs it with: its fields are keys, stanzas and messages. Only the words and an
 * error's own message pass, its warnings and errors as our debug lines: what matters to an operator arrives as the end
 * of a socket.
 */
export function createBaileysLog(log: Log): BaileysLog {
  const say = (fields: unknown, message?: string): void => {
    const words = message ?? (typeof fields === 'string' ? fields : '');
    const cause = causeOf(fields);
    log.debug(cause === undefined ? {} : { cause }, `baileys: ${words}`);
  };
  const baileysLog: BaileysLog = {
    level: 'warn',
    child: () => baileysLog,
    trace: silent,
    debug: silent,
    info: silent,
    warn: say,
    error: say,
  };
  return baileysLog;
}

function causeOf(fields: unknown): string | undefined {
  if (typeof fields !== 'object' || fields === null) return undefined;
  const { err, error, e } = fields as Record<string, unknown>;
  const cause = err ?? error ?? e;
  return typeof cause === 'object' && cause !== null && 'message' in cause ? String(cause.message) : undefined;
}
