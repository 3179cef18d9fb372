import { computed, signal } from '@preact/signals';
import type { Connection, Page } from '../../lib/contracts/entities.ts';
import { type ApiError, toApiError } from './api-error.ts';
import { get } from './client.ts';
import { onEvents, onResync, type StreamedEvent } from './event-stream.ts';

/*
 * All connections that the signed-in user may see, kept up to date by events: several pages name them. A status event
 * changes its row at once; what events do not carry (the account, the node) is fetched a moment later, one by one or,
 * when many changed, as the list.
 */

const PAGE_SIZE = 200;
const SETTLE_MS = 400;
/** More rows than this are cheaper as pages of the list. */
const MAX_SINGLES = 8;

/** Newest first. Changed in place, because a thousand changes in a burst would copy it a thousand times. */
let rows = new Map<string, Connection>();
const version = signal(0);
/** the first page is here */
const begun = signal(false);
/** the whole list has been here */
const complete = signal(false);
export const connectionsError = signal<ApiError | null>(null);
/** Newest first; null until they are there. */
export const connections = computed<Connection[] | null>(() => {
  version.value;
  return begun.value ? [...rows.values()] : null;
});

let loading: Promise<void> | null = null;
let dirty = new Set<string>();
let settling = false;
let generation = 0;

export function connectionOf(connectionId: string): Connection | undefined {
  version.value;
  return rows.get(connectionId);
}

/** What a person calls it: its name, the account's name or number, or its id. */
export function connectionName(connectionId: string | null): string {
  if (connectionId === null) return 'no connection';
  const connection = connectionOf(connectionId);
  return connection ? nameOf(connection) : connectionId;
}

export function nameOf({ name, me, connectionId }: Connection): string {
  return name || me?.name || (me?.pn ? phoneNumber(me.pn) : connectionId);
}

/** `15551234567@s.whatsapp.net` as `+15551234567`; anything else as it is. */
export function phoneNumber(id: string): string {
  const digits = /^(\d+)(?::\d+)?(?:@(?:s\.whatsapp\.net|c\.us))?$/.exec(id)?.[1];
  return digits ? `+${digits}` : id;
}

/** Fetches the list when it is not there. Never rejects: `connectionsError` says why it could not be fetched. */
export function loadConnections(): Promise<void> {
  if (complete.value && connectionsError.value === null) return Promise.resolve();
  return reloadConnections();
}

export function reloadConnections(): Promise<void> {
  loading ??= fetchAll(generation).finally(() => {
    loading = null;
  });
  return loading;
}

/** Puts an answer of the API into the list. */
export function putConnection(connection: Connection): void {
  const { connectionId } = connection;
  if (rows.has(connectionId)) rows.set(connectionId, connection);
  else rows = new Map([[connectionId, connection], ...rows]);
  version.value += 1;
}

export function dropConnection(connectionId: string): void {
  if (rows.delete(connectionId)) version.value += 1;
}

/** Somebody else may sign in. */
export function forgetConnections(): void {
  generation += 1;
  rows = new Map();
  version.value += 1;
  begun.value = false;
  complete.value = false;
  connectionsError.value = null;
  dirty = new Set();
}

async function fetchAll(mine: number): Promise<void> {
  try {
    const found = new Map<string, Connection>();
    let after: string | null = null;
    do {
      const page: Page<Connection> = await get('/connection/list', { limit: PAGE_SIZE, after });
      if (mine !== generation) return;
      for (const connection of page.items) found.set(connection.connectionId, connection);
      after = page.next;
      /* the first time the newest are shown at once; later the old list stays until the new one is whole */
      if (after === null || !complete.value) show(found);
    } while (after !== null);
    complete.value = true;
    connectionsError.value = null;
  } catch (thrown) {
    if (mine === generation) connectionsError.value = toApiError(thrown);
  }
}

function show(found: Map<string, Connection>): void {
  rows = found;
  version.value += 1;
  begun.value = true;
}

function changed({ event }: StreamedEvent): void {
  const { connectionId, type, data } = event;
  if (connectionId === null) return;
  const known = rows.get(connectionId);
  if (known && type === 'connection.status') {
    const { status, reason } = data as { status: Connection['status']; reason: string | null };
    putConnection({ ...known, status, statusReason: reason ?? null, updatedAt: event.occurredAt });
  }
  dirty.add(connectionId);
  if (!settling) setTimeout(() => void settle(), SETTLE_MS);
  settling = true;
}

async function settle(): Promise<void> {
  /* a list that is under way may have been read before these changes */
  await loading;
  /* before the list is there only those that a page shows are of interest */
  const ids = [...dirty].filter((connectionId) => complete.value || rows.has(connectionId));
  dirty = new Set();
  settling = false;
  if (complete.value && ids.length > MAX_SINGLES) await reloadConnections();
  else await Promise.all(ids.map(refreshConnection));
}

/** Fetches one connection again. A connection that is gone leaves the list. Never rejects. */
export async function refreshConnection(connectionId: string): Promise<void> {
  const mine = generation;
  try {
    const connection = await get<Connection>(`/connection/${connectionId}`);
    if (mine === generation) putConnection(connection);
  } catch (thrown) {
    if (toApiError(thrown).status === 404) dropConnection(connectionId);
  }
}

onEvents(['connection.status', 'connection.moved', 'auth.succeeded'], changed);
onResync(() => {
  if (complete.value) void reloadConnections();
});
