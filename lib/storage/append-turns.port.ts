/**
 * Who of a cluster's processes appends to the event log next. Every append takes its number from one document, so only
 * one transaction at a time gets through; without an order the losers try again, and one of them may lose for seconds.
 * It is about time only: the transaction alone decides what is true, and works without any turn.
 */
export interface AppendTurns {
  /** Resolves when it is this process's turn, in the order in which the processes came; one call at a time. Never rejects, never waits for long. */
  take(): Promise<AppendTurn>;
  close(): void;
}

export interface AppendTurn {
  /** nobody else has it, as far as can be known */
  mine: boolean;
  /** Lets the next one begin. */
  over(): void;
}
