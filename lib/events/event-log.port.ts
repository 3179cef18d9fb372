import type { CastellanEvent, EventType } from '../contracts/entities.ts';
import type { Write } from '../storage/port.ts';

/** A fact to be logged. Id, position and seq are given by the log. */
export interface EventDraft {
  type: EventType;
  userId: string;
  connectionId: string | null;
  epoch: number | null;
  data: unknown;
  /** milliseconds since the epoch; default now */
  occurredAt?: number;
  /** when the same fact may be recorded twice (replay), the same id makes the second one a no-op */
  eventId?: string;
}

export interface EventQuery {
  /** exclusive; an opaque cursor of an earlier answer; undefined = from the oldest kept */
  after?: string | undefined;
  types?: readonly string[] | undefined;
  connectionId?: string | undefined;
  /** whose events; undefined = everybody's (admin) */
  userId?: string | undefined;
  limit: number;
}

/** The append-only, replayable log. Cursors follow commit order, never ids or clocks. */
export interface EventLog {
  /** The write that logs the fact, to be put into the same atomic group as what it reports. Call `committed()` after. */
  write(draft: EventDraft): Write;
  append(drafts: readonly EventDraft[]): Promise<void>;
  /** Wakes followers (streams, webhooks); losing a wake-up delays, never loses: they also look by themselves. */
  committed(): void;
  read(query: EventQuery): Promise<{ items: { event: CastellanEvent; cursor: string }[]; next: string | null }>;
  get(eventId: string): Promise<CastellanEvent | null>;
  /** The cursor of the newest event, for followers that start "from now". */
  head(): Promise<string>;
  /** Calls `fn` after every commit seen by this process (and at least every second). Returns the unsubscriber. */
  onCommit(fn: () => void): () => void;
  /** Calls `fn` after every commit of this process, for whoever tells the others. */
  onOwnCommit(fn: () => void): void;
  /** Another process committed something: wakes the followers here. */
  committedElsewhere(): void;
}
