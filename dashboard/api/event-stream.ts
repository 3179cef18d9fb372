import { batch, signal } from '@preact/signals';
import type { CastellanEvent, EventType } from '../../lib/contracts/entities.ts';
import { urlOf } from './client.ts';
import { EVENT_TYPES } from './event-types.ts';
import { loadSession, session } from './session.ts';

/*
 * One EventSource for the whole page. It comes back by itself after a break (also a long one, and a restart of the
 * server) at the cursor where it was; whoever shows a list is told to fetch it again then, because a store that was
 * restored or events that were pruned would leave a gap.
 */

export type StreamState = 'connecting' | 'live' | 'lost';
export type AnyEvent = CastellanEvent<Record<string, unknown>>;
export interface StreamedEvent {
  event: AnyEvent;
  /** of the log: `after` it comes the next one */
  cursor: string;
}
type Listener = (item: StreamedEvent) => void;

export const streamState = signal<StreamState>('connecting');

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;
/** Events that come together are given out together, so that a burst draws the page once. */
const GATHER_MS = 40;

const listeners = new Map<EventType | '*', Set<Listener>>();
const resyncs = new Set<() => void>();
let source: EventSource | null = null;
let retryTimer: ReturnType<typeof setTimeout> | null = null;
let retryMs = FIRST_RETRY_MS;
let cursor: string | null = null;
let wasLost = false;
let gathered: StreamedEvent[] = [];

/** Calls back for every event of these types (`*` = all), in order. @returns stops it */
export function onEvents(types: readonly (EventType | '*')[], listener: Listener): () => void {
  for (const type of types) {
    const set = listeners.get(type) ?? new Set();
    listeners.set(type, set.add(listener));
  }
  return () => {
    for (const type of types) listeners.get(type)?.delete(listener);
  };
}

/** Calls back when the stream is there again after a break: what is shown may be old. @returns stops it */
export function onResync(run: () => void): () => void {
  resyncs.add(run);
  return () => {
    resyncs.delete(run);
  };
}

/** Opens the stream; does nothing when it is open. */
export function startStream(): void {
  if (source !== null || retryTimer !== null) return;
  open();
}

/** Closes it and forgets where it was: somebody else may sign in. */
export function stopStream(): void {
  source?.close();
  source = null;
  if (retryTimer !== null) clearTimeout(retryTimer);
  retryTimer = null;
  retryMs = FIRST_RETRY_MS;
  cursor = null;
  wasLost = false;
  gathered = [];
  streamState.value = 'connecting';
}

/** Tries at once instead of at the next retry. */
export function retryStream(): void {
  if (retryTimer === null) return;
  clearTimeout(retryTimer);
  retryTimer = null;
  open();
}

function open(): void {
  const opened = new EventSource(urlOf('/event/stream', { after: cursor }));
  source = opened;
  opened.onopen = () => connected();
  opened.onerror = () => broken(opened);
  for (const type of EVENT_TYPES) opened.addEventListener(type, received);
}

function connected(): void {
  retryMs = FIRST_RETRY_MS;
  streamState.value = 'live';
  if (!wasLost) return;
  wasLost = false;
  for (const run of [...resyncs]) run();
}

/** The browser's own retry gives up for good on any answer but 200, so it is not relied upon. */
function broken(failed: EventSource): void {
  failed.close();
  if (source !== failed) return;
  source = null;
  wasLost = true;
  streamState.value = 'lost';
  retryTimer = setTimeout(() => void reopen(), retryMs * (0.75 + Math.random() / 2));
  retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
}

/** An EventSource does not tell a 401 from a server that is down: ask first. */
async function reopen(): Promise<void> {
  await loadSession();
  retryTimer = null;
  /* meanwhile somebody may have asked for it at once, or signed out */
  if (session.value && source === null) open();
}

function received(message: MessageEvent<string>): void {
  cursor = message.lastEventId;
  gathered.push({ event: JSON.parse(message.data) as AnyEvent, cursor });
  if (gathered.length === 1) setTimeout(handOut, GATHER_MS);
}

function handOut(): void {
  const items = gathered;
  gathered = [];
  batch(() => {
    for (const item of items) {
      for (const listener of [...(listeners.get(item.event.type) ?? []), ...(listeners.get('*') ?? [])]) listener(item);
    }
  });
}

addEventListener('online', retryStream);
addEventListener('visibilitychange', () => {
  if (!document.hidden) retryStream();
});
