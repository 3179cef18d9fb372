import type { CastellanEvent } from '../../../lib/contracts/entities.ts';

/** An event in the log of the page, with the place to read the log from again. */
export interface LogEntry {
  event: CastellanEvent;
  /** a cursor before this event; null = the start of the log */
  after: string | null;
}

export interface EventFilter {
  /** empty = all */
  types: readonly string[];
  connectionId: string | null;
}

/** What came, oldest first. While it is paused, what comes waits outside of what is shown. */
export interface EventLogState {
  shown: readonly LogEntry[];
  held: readonly LogEntry[];
  paused: boolean;
  /** events that had to make room for newer ones */
  dropped: number;
}

/** Enough to look through, little enough to stay quick in every browser. */
export const CAPACITY = 1_000;
export const NO_FILTER: EventFilter = { types: [], connectionId: null };
export const EMPTY_LOG: EventLogState = { shown: [], held: [], paused: false, dropped: 0 };

export function addEntries(state: EventLogState, arrived: readonly LogEntry[]): EventLogState {
  if (arrived.length === 0) return state;
  const list = state.paused ? state.held : state.shown;
  const ids = new Set(list.map(({ event }) => event.eventId));
  const all = [...list, ...arrived.filter(({ event }) => !ids.has(event.eventId))];
  const kept = all.slice(-CAPACITY);
  const dropped = state.dropped + all.length - kept.length;
  return state.paused ? { ...state, held: kept, dropped } : { ...state, shown: kept, dropped };
}

/** Adds to what is shown, paused or not: what somebody asked for rather than what comes by itself. */
export function showEntries(state: EventLogState, asked: readonly LogEntry[]): EventLogState {
  return { ...addEntries({ ...state, paused: false }, asked), paused: state.paused };
}

export function pause(state: EventLogState): EventLogState {
  return { ...state, paused: true };
}

/** What was held is shown. */
export function resume(state: EventLogState): EventLogState {
  return addEntries({ ...state, paused: false, held: [] }, state.held);
}

/** @returns the log without what was shown and held; it stays paused if it was */
export function clear(state: EventLogState): EventLogState {
  return { ...EMPTY_LOG, paused: state.paused };
}

export function matches({ types, connectionId }: EventFilter, event: CastellanEvent): boolean {
  if (types.length > 0 && !types.includes(event.type)) return false;
  return connectionId === null || event.connectionId === connectionId;
}

/** @returns what the filter lets through, newest first */
export function visible(entries: readonly LogEntry[], filter: EventFilter): LogEntry[] {
  return entries.filter(({ event }) => matches(filter, event)).reverse();
}

/**
 * A page of the log as entries. A page has one cursor at its end, so every entry of it remembers where the page began.
 * @param from leaves out what stands before this event (a replay begins at an event, a cursor at a page)
 */
export function entriesOfPage(events: readonly CastellanEvent[], after: string | null, from?: string): LogEntry[] {
  const start = from === undefined ? -1 : events.findIndex(({ eventId }) => eventId === from);
  return events.slice(Math.max(0, start)).map((event) => ({ event, after }));
}

/** @returns the query of `/event/list` and `/event/stream` for a filter */
export function queryOf({ types, connectionId }: EventFilter): { types: string | null; connectionId: string | null } {
  return { types: types.length > 0 ? types.join(',') : null, connectionId };
}
