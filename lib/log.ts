import pino from 'pino';

/** What code logs to. Fields are structured; never credentials, codes or message bodies. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Log;
}

/** @param level pino's level names: trace, debug, info, warn, error, fatal, silent */
export function createLog(level: string, fields: object = {}): Log {
  return pino(
    { level, base: fields, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: false }),
  );
}

/** A log that swallows everything, for tests and tools whose output is the point. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
