import type { Caller } from '../contracts/action.ts';
import type { EventFilterParams, EventPage } from '../contracts/events.contract.ts';
import type { PageParams } from '../contracts/params.ts';
import { found, scopeFilter } from '../contracts/scope.ts';
import type { ConnectionDoc } from '../storage/collections.ts';
import { DEFAULT_LIST_LIMIT } from '../storage/cursor-list.ts';
import { fittingCount } from '../storage/page-size.ts';
import type { Store } from '../storage/port.ts';
import { encodeCursor, START_OF_LOG } from './cursor.ts';
import type { EventLog } from './event-log.port.ts';

/**
 * One page of the log, oldest first, with the cursor to continue from (see `EventPage`).
 * @throws NOT_FOUND for a foreign connection, BAD_REQUEST for a malformed cursor
 */
export async function listEvents(
  { store, events }: { store: Store; events: EventLog },
  caller: Caller,
  { after, limit = DEFAULT_LIST_LIMIT, types, connectionId }: EventFilterParams & PageParams,
): Promise<EventPage> {
  const scope = scopeFilter(caller);
  if (connectionId !== undefined) {
    found(await store.collection<ConnectionDoc>('connections').findOne({ _id: connectionId, ...scope }));
  }
  const page = await events.read({ after, limit, types, connectionId, ...scope });
  const all = page.items.map((item) => item.event);
  const items = all.slice(0, fittingCount(all));
  const cursor = page.items[items.length - 1]?.cursor ?? after ?? encodeCursor(START_OF_LOG);
  return { items, next: items.length < all.length ? cursor : page.next, cursor };
}
