import type { StatementSync } from 'node:sqlite';

/**
 * The counters of ordered collections. Inside a transaction each is read once and written once, however often it counts;
 * between transactions nothing is remembered, so whoever else wrote to the file is seen.
 */
export interface Counters {
  /** @returns the next number, from 1 */
  next(name: string): number;
  /** a point to go back to when what was counted since is undone */
  mark(): number;
  rollbackTo(mark: number): void;
  /** Writes what was counted: the last thing before a COMMIT. */
  save(): void;
  /** The transaction is over, one way or the other. */
  forget(): void;
}

export function createCounters(prepare: (sql: string) => StatementSync): Counters {
  const values = new Map<string, number>();
  /** every step that was taken, so that the last ones can be taken back */
  let steps: string[] = [];

  function current(name: string): number {
    const known = values.get(name);
    if (known !== undefined) return known;
    return Number(prepare('SELECT value FROM "_counters" WHERE name = ?').get(name)?.value ?? 0);
  }

  return {
    next(name) {
      const value = current(name) + 1;
      values.set(name, value);
      steps.push(name);
      return value;
    },
    mark: () => steps.length,
    rollbackTo(mark) {
      for (const name of steps.splice(mark)) values.set(name, current(name) - 1);
    },
    save() {
      const upsert =
        'INSERT INTO "_counters" (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value';
      for (const name of new Set(steps)) prepare(upsert).run(name, values.get(name) as number);
    },
    forget() {
      values.clear();
      steps = [];
    },
  };
}
