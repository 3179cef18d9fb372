import { defineActions } from './action.ts';
import { type CastellanEvent, EVENT_TYPES, type EventType, type Page } from './entities.ts';
import { id, oneOf, optional, type PageParams, page } from './params.ts';

/**
 * The event log as clients read it. The `webhooks` service hosts these actions (it is the service that pushes the same
 * events), so their names begin with its name; their paths are `/event/...`.
 *
 * Cursors: `next` is the cursor of the next page and null at the end. `cursor` is always there and is where to continue:
 * keep it, and ask again with `after=cursor` for what has happened since. The stream's `id`s are the same cursors.
 */
export interface EventPage extends Page<CastellanEvent> {
  cursor: string;
}

export interface EventFilterParams {
  /** only these; in a query separated by commas */
  types?: EventType[];
  connectionId?: string;
}

export interface EventsActions {
  listEvents: { params: EventFilterParams & PageParams; result: EventPage };
}

const types = { type: 'array', min: 1, max: EVENT_TYPES.length, unique: true, items: oneOf(EVENT_TYPES) } as const;

export const eventFilterParams = { types: optional(types), connectionId: optional(id('connection')) };

export const eventsContract = defineActions({
  listEvents: {
    name: 'webhooks.listEvents',
    summary: 'Read the event log, oldest first; continue with after=cursor',
    rest: 'GET /event/list',
    auth: 'user',
    params: { ...eventFilterParams, ...page },
    query: ['types', 'connectionId', 'limit', 'after'],
    result: 'EventPage',
  },
});
