import { signal } from '@preact/signals';
import type { EventPage } from '../../../lib/contracts/events.contract.ts';
import { type ApiError, toApiError } from '../../api/api-error.ts';
import { get } from '../../api/client.ts';
import {
  CAPACITY,
  clear,
  type EventFilter,
  entriesOfPage,
  type LogEntry,
  pause,
  queryOf,
  resume,
  showEntries,
} from './event-log-state.ts';
import { eventLog } from './event-log-store.ts';

/** The log, read again from somewhere. What comes meanwhile is held back and follows at the end. */
export interface Replay {
  /** where it began; null = the start of the log */
  from: LogEntry | null;
  /** what it reads through */
  filter: EventFilter;
  /** events read so far */
  count: number;
  state: 'reading' | 'waiting' | 'failed';
  error: ApiError | null;
}

const PAGE_SIZE = 200;

/** null = what is shown is live. */
export const replay = signal<Replay | null>(null);

let current = 0;
let goOn: () => Promise<void> = async () => {};

/** Shows the log from this event on (null = from its start) instead of what was shown, then goes on live. */
export function startReplay(from: LogEntry | null, filter: EventFilter): void {
  current += 1;
  const mine = current;
  eventLog.value = pause(clear(eventLog.value));
  replay.value = { from, filter, count: 0, state: 'reading', error: null };
  void read(mine, filter, from?.after ?? null, from);
}

/** Reads on after it waited or failed. */
export function continueReplay(): void {
  if (replay.value === null || replay.value.state === 'reading') return;
  replay.value = { ...replay.value, state: 'reading', error: null };
  void goOn();
}

/** Back to what comes by itself. */
export function endReplay(): void {
  current += 1;
  replay.value = null;
  eventLog.value = resume(eventLog.value);
}

/** @param from is looked for in the first page, which may begin before it */
async function read(mine: number, filter: EventFilter, start: string | null, from: LogEntry | null): Promise<void> {
  let after = start;
  let first = from;
  goOn = () => read(mine, filter, after, first);
  try {
    for (let read = 0; read < CAPACITY; ) {
      const page = await get<EventPage>('/event/list', { ...queryOf(filter), after, limit: PAGE_SIZE });
      if (mine !== current || replay.value === null) return;
      const entries = entriesFrom(page, after, first);
      eventLog.value = showEntries(eventLog.value, entries);
      replay.value = { ...replay.value, count: replay.value.count + entries.length };
      read += entries.length;
      if (page.next === null) return endReplay();
      after = page.next;
      first = null;
    }
    replay.value = { ...replay.value, state: 'waiting' } as Replay;
  } catch (thrown) {
    if (mine === current && replay.value)
      replay.value = { ...replay.value, state: 'failed', error: toApiError(thrown) };
  }
}

function entriesFrom(page: EventPage, after: string | null, first: LogEntry | null): LogEntry[] {
  if (first === null) return entriesOfPage(page.items, after);
  const { eventId } = first.event;
  const isInPage = page.items.some((event) => event.eventId === eventId);
  return isInPage ? entriesOfPage(page.items, after, eventId) : [first, ...entriesOfPage(page.items, after)];
}
