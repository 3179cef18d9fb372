import { effect, signal } from '@preact/signals';
import { onEvents } from '../../api/event-stream.ts';
import { session } from '../../api/session.ts';
import { addEntries, EMPTY_LOG, type EventLogState, type LogEntry } from './event-log-state.ts';

/*
 * What has happened since the page was loaded, also while another page was shown. Events that come together are put in
 * together, because each round copies the list.
 */

const GATHER_MS = 150;

export const eventLog = signal<EventLogState>(EMPTY_LOG);

let gathered: LogEntry[] = [];

onEvents(['*'], ({ event, cursor }) => {
  // The cursor stands after the event; a replay that begins here puts the event itself first.
  gathered.push({ event, after: cursor });
  if (gathered.length === 1) setTimeout(putIn, GATHER_MS);
});

function putIn(): void {
  const entries = gathered;
  gathered = [];
  if (session.peek()) eventLog.value = addEntries(eventLog.value, entries);
}

let reader: string | null = null;
effect(() => {
  const userId = session.value?.userId ?? null;
  if (userId === reader) return;
  reader = userId;
  gathered = [];
  eventLog.value = EMPTY_LOG;
});
