import { type Clock, isoTime } from '../clock.ts';
import type { CastellanEvent } from '../contracts/entities.ts';
import { CastellanError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { EventDoc } from '../storage/collections.ts';
import type { Filter, Store } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';
import { createCommitBell } from './commit-bell.ts';
import { decodeCursor, encodeCursor, START_OF_LOG } from './cursor.ts';
import type { EventDraft, EventLog, EventQuery } from './event-log.port.ts';

export const EVENTS_COLLECTION = 'events';

export interface EventLogOptions {
  store: Store;
  vault: Vault;
  clock: Clock;
  /** how often followers look by themselves, ms; default 1,000 */
  lookIntervalMs?: number;
}

/** What is inserted: the store gives `position` and `seq` at commit. */
type NewEventDoc = Omit<EventDoc, 'position' | 'seq'>;

/** The event log over the ordered `events` collection; a cursor is a position in it. */
export function createEventLog({ store, vault, clock, lookIntervalMs }: EventLogOptions): EventLog {
  const events = store.collection<EventDoc>(EVENTS_COLLECTION);
  const bell = createCommitBell(clock, lookIntervalMs);
  let headRead: Promise<string> | null = null;

  function toDoc(draft: EventDraft): NewEventDoc {
    const _id = draft.eventId ?? newId('event');
    return {
      _id,
      type: draft.type,
      connectionId: draft.connectionId,
      userId: draft.userId,
      epoch: draft.epoch,
      occurredAt: draft.occurredAt ?? clock.now(),
      data: vault.sealJson(draft.data, _id),
    };
  }

  /** The one place that gives an event its outward form: list, stream and webhooks show the same bytes. */
  function toEvent(doc: EventDoc): CastellanEvent {
    return {
      eventId: doc._id,
      type: doc.type,
      connectionId: doc.connectionId,
      userId: doc.userId,
      seq: doc.seq,
      epoch: doc.epoch,
      occurredAt: isoTime(doc.occurredAt),
      data: vault.openJson(doc.data, doc._id),
    };
  }

  async function readHead(): Promise<string> {
    // Whoever asks in the same turn shares the answer; a later turn asks anew, so nobody gets a head older than the question.
    await Promise.resolve();
    headRead = null;
    const newest = await events.findOne({}, { sort: [['position', -1]] });
    return encodeCursor(newest?.position ?? START_OF_LOG);
  }

  return {
    write: (draft) => ({ op: 'insert', collection: EVENTS_COLLECTION, doc: toDoc(draft) }),

    async append(drafts) {
      if (drafts.length === 0) return;
      await events.insertMany(drafts.map((draft) => toDoc(draft) as EventDoc));
      bell.ring();
    },

    committed: () => bell.ring(),

    async read(query) {
      if (!Number.isInteger(query.limit) || query.limit < 1) {
        throw new CastellanError('BAD_REQUEST', 'The limit must be a whole number from 1.');
      }
      const found = await events.find(toFilter(query), { sort: [['position', 1]], limit: query.limit + 1 });
      const items = found
        .slice(0, query.limit)
        .map((doc) => ({ event: toEvent(doc), cursor: encodeCursor(doc.position) }));
      return { items, next: found.length > query.limit ? (items.at(-1)?.cursor ?? null) : null };
    },

    async get(eventId) {
      const doc = await events.findOne({ _id: eventId });
      return doc && toEvent(doc);
    },

    head() {
      headRead ??= readHead();
      return headRead;
    },

    onCommit: (fn) => bell.listen(fn),
    onOwnCommit: (fn) => bell.onOwnRing(fn),
    committedElsewhere: () => bell.ringFromAfar(),
  };
}

function toFilter({ after, types, connectionId, userId }: EventQuery): Filter {
  return {
    position: { $gt: after === undefined ? START_OF_LOG : decodeCursor(after) },
    ...(userId === undefined ? {} : { userId }),
    ...(connectionId === undefined ? {} : { connectionId }),
    ...(types === undefined || types.length === 0 ? {} : { type: { $in: types } }),
  };
}
