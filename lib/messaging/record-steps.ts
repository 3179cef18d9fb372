import type { RecordContext } from '../session/ports.ts';
import type { Ledger } from './ledger.ts';

/** One record, read and ready: what it must know of the store, and what it changes. */
export interface RecordStep {
  /** messages that have to be known before it can be staged */
  needs: { messageIds: readonly string[]; waMessageIds: readonly string[] };
  /** messages that it makes: looked for only when they were applied before, or after a collision */
  makes: readonly string[];
  /** Stages its writes. Staged again on what a later ledger shows, so it changes nothing but the ledger. */
  stage(ledger: Ledger, context: RecordContext): void;
}
