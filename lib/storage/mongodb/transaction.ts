import { setTimeout as delay } from 'node:timers/promises';
import { type ClientSession, MongoError, MongoServerError, type TransactionOptions } from 'mongodb';
import { storeUnavailable } from './mongo-errors.ts';

const OPTIONS: TransactionOptions = {
  readConcern: { level: 'majority' },
  writeConcern: { w: 'majority', journal: true },
  readPreference: 'primary',
};
/** how long conflicts with other processes are tried again, ms */
const RETRY_FOR_MS = 20_000;
const FIRST_PAUSE_MS = 4;
/** short, because whoever comes first after a commit wins, however long the others have tried */
const LONGEST_PAUSE_MS = 16;
const COMMIT_ATTEMPTS = 3;
const NO_SUCH_TRANSACTION = 251;

function has(error: unknown, label: string): boolean {
  return error instanceof MongoError && error.hasErrorLabel(label);
}

/** Surely not applied: the server said so, and it was not about a commit that it may have forgotten. */
function wasAborted(error: unknown): boolean {
  if (error instanceof MongoServerError && error.code === NO_SUCH_TRANSACTION) return false;
  return has(error, 'TransientTransactionError');
}

/**
 * A commit without an answer is sent again as the same commit, never as a new transaction: that could apply it twice.
 * "No such transaction" is no proof that nothing happened either: the driver may have sent the commit once before, and a
 * server that restarted in between no longer knows it.
 *
 * @returns whether it is committed; false = surely not. @throws STORE_UNAVAILABLE with an unknown outcome
 */
async function commit(session: ClientSession): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await session.commitTransaction();
      return true;
    } catch (error) {
      if (attempt === 1 && wasAborted(error)) return false;
      if (attempt === COMMIT_ATTEMPTS || !has(error, 'UnknownTransactionCommitResult')) {
        throw storeUnavailable('write', error);
      }
    }
  }
}

/**
 * Runs `body` in a transaction of the session, which nobody else uses meanwhile, and commits it with `w: majority`. What
 * conflicts with another transaction, or breaks off before its commit was sent, runs again from the start: nothing of it
 * was applied. (The session is kept: by its number the next transaction aborts one that could not be aborted.)
 *
 * @throws what `body` throws, after the transaction was aborted; STORE_UNAVAILABLE when the commit's outcome is unknown
 */
export async function inTransaction<R>(session: ClientSession, body: () => Promise<R>): Promise<R> {
  const giveUpAt = performance.now() + RETRY_FOR_MS;
  for (let attempt = 0; ; attempt += 1) {
    try {
      session.startTransaction(OPTIONS);
      const result = await body();
      if (await commit(session)) return result;
      if (performance.now() > giveUpAt) throw storeUnavailable('write');
    } catch (error) {
      if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
      if (!has(error, 'TransientTransactionError') || performance.now() > giveUpAt) throw error;
    }
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempt, 8));
    await delay(pause * (0.5 + Math.random()));
  }
}
