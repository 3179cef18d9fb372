import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CastellanError } from '../errors.ts';

/** Proof that this process alone works in a DATA_DIR. */
export interface Seat {
  /** Gives it up; harmless when repeated. */
  release(): void;
}

const SEAT_FILE = 'seat.db';
const SQLITE_BUSY = 5;

/** A handle that nobody refers to is collected, and its lock goes with it: these live until they are released. */
const held = new Set<DatabaseSync>();

/**
 * Takes the exclusive seat on a directory (made when missing) for as long as the process lives: an exclusive SQLite
 * transaction that never ends. The operating system frees it with the process, however that dies, so a seat that can be
 * taken proves that its former holder is gone. (The lock belongs to the file's open handle: nothing else in this
 * process may open `seat.db`.)
 *
 * @throws CONFIG_INVALID at once when another process has it or the directory cannot be used
 */
export function takeSeat(dataDir: string): Seat {
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    db = new DatabaseSync(join(dataDir, SEAT_FILE), { timeout: 0 });
    db.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    db?.close();
    const busy = (cause as { errcode?: number }).errcode === SQLITE_BUSY;
    const problem = busy ? 'is in use by another Castellan process' : 'cannot be used';
    throw new CastellanError('CONFIG_INVALID', `DATA_DIR ${dataDir} ${problem}.`, undefined, { cause });
  }
  const handle = db;
  held.add(handle);
  return {
    release() {
      if (held.delete(handle)) handle.close();
    },
  };
}
