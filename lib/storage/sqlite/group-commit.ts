import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { CastellanError, isErrorType } from '../../errors.ts';
import type { Counters } from './counters.ts';

/**
 * Group commit. An operation runs at once, in the order of the calls, and sees everything that ran before it; what is
 * put off is its answer. The first write of a turn of the event loop opens a transaction, every write of that turn gets
 * a savepoint in it, and at the turn's end one COMMIT (one fsync) makes all of them durable. Only then they are
 * answered, reads and failures among them too: nobody may act on what a crash could still undo, such as a duplicate of
 * a document that was not durable yet.
 */
export interface GroupCommit {
  read<R>(run: () => R): Promise<R>;
  write<R>(run: () => R): Promise<R>;
  /** Commits what is open, then refuses everything. */
  close(): void;
}

type Settle = (failure: CastellanError | null) => void;

function unavailable(cause: unknown): CastellanError {
  return new CastellanError('STORE_UNAVAILABLE', undefined, undefined, { cause });
}

function isSqliteError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
}

/** @param counters what is counted in memory while a transaction is open, and goes the way of the transaction */
export function createGroupCommit(db: DatabaseSync, counters: Counters): GroupCommit {
  const statement = (sql: string): StatementSync => db.prepare(sql);
  const begin = statement('BEGIN IMMEDIATE');
  const commit = statement('COMMIT');
  const rollback = statement('ROLLBACK');
  const savepoint = statement('SAVEPOINT op');
  const release = statement('RELEASE op');
  const undo = statement('ROLLBACK TO op');
  let open: Settle[] | null = null;
  let closed = false;

  function settleAll(failure: CastellanError | null): void {
    const waiting = open ?? [];
    open = null;
    counters.forget();
    for (const settle of waiting) settle(failure);
  }

  /** The transaction is gone (disk full, I/O error): everything in it fails together. */
  function abort(cause: unknown): CastellanError {
    const failure = unavailable(cause);
    if (db.isOpen && db.isTransaction) rollback.run();
    settleAll(failure);
    return failure;
  }

  function finish(): void {
    if (open === null) return;
    try {
      counters.save();
      commit.run();
    } catch (cause) {
      abort(cause);
      return;
    }
    settleAll(null);
  }

  function begun(): Settle[] {
    if (open !== null) return open;
    try {
      begin.run();
    } catch (cause) {
      throw unavailable(cause);
    }
    open = [];
    setImmediate(finish);
    return open;
  }

  /** Answers with the outcome as soon as everything that ran so far is durable. */
  function afterCommit<R>(outcome: { value: R } | { error: unknown }): Promise<R> {
    const answer = () => ('error' in outcome ? Promise.reject(outcome.error) : Promise.resolve(outcome.value));
    if (open === null) return answer();
    const waiting = open;
    return new Promise<R>((resolve, reject) => {
      waiting.push((failure) => (failure ? reject(failure) : answer().then(resolve, reject)));
    });
  }

  function inSavepoint<R>(run: () => R): { value: R } | { error: unknown } {
    savepoint.run();
    const mark = counters.mark();
    try {
      const value = run();
      release.run();
      return { value };
    } catch (error) {
      if (!db.isTransaction) return { error: abort(error) };
      undo.run();
      release.run();
      counters.rollbackTo(mark);
      return { error: isSqliteError(error) ? unavailable(error) : error };
    }
  }

  return {
    async read(run) {
      if (closed) throw unavailable('closed');
      try {
        return await afterCommit({ value: run() });
      } catch (error) {
        throw isSqliteError(error) ? unavailable(error) : error;
      }
    },

    async write(run) {
      if (closed) throw unavailable('closed');
      begun();
      try {
        return await afterCommit(inSavepoint(run));
      } catch (error) {
        if (isSqliteError(error) && !isErrorType(error, 'STORE_UNAVAILABLE')) throw abort(error);
        throw error;
      }
    },

    close() {
      if (closed) return;
      closed = true;
      finish();
    },
  };
}
