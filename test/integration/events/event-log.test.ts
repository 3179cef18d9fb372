import { systemClock } from '../../../lib/clock.ts';
import { encodeCursor } from '../../../lib/events/cursor.ts';
import type { EventDraft, EventLog } from '../../../lib/events/event-log.port.ts';
import { createEventLog } from '../../../lib/events/event-log.ts';
import { followEvents } from '../../../lib/events/follow.ts';
import { newId } from '../../../lib/ids.ts';
import type { EventDoc } from '../../../lib/storage/collections.ts';
import { createVault } from '../../../lib/storage/vault.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type TemporaryStore, temporaryStore } from '../../helpers/temporary-store.ts';

const CONNECTION = 'con_01ARZ3NDEKTSV4RRFFQ69G5FAV';
const vault = createVault(Buffer.alloc(32, 7));
let temporary: TemporaryStore;
let log: EventLog;

function draft(data: unknown, over: Partial<EventDraft> = {}): EventDraft {
  return { type: 'message.received', userId: 'anna', connectionId: CONNECTION, epoch: 1, data, ...over };
}

async function readAll(query: Partial<Parameters<EventLog['read']>[0]> = {}) {
  return (await log.read({ limit: 1_000, ...query })).items.map((item) => item.event.data);
}

const openLog = () => createEventLog({ store: temporary.store, vault, clock: systemClock });

beforeEach(async () => {
  temporary = await temporaryStore();
  log = openLog();
});

afterEach(() => temporary.remove());

describe('event log', () => {
  test('numbers the events of a connection from 1 and shows them oldest first', async () => {
    await log.append([draft({ n: 1 }), draft({ n: 2 }), draft({ n: 3 }, { connectionId: null })]);
    const { items, next } = await log.read({ limit: 10 });
    expect(next).toBeNull();
    expect(items.map(({ event }) => [event.seq, event.connectionId, event.data])).toEqual([
      [1, CONNECTION, { n: 1 }],
      [2, CONNECTION, { n: 2 }],
      [0, null, { n: 3 }],
    ]);
    expect(items[0]?.event).toMatchObject({ type: 'message.received', userId: 'anna', epoch: 1 });
    expect(items[0]?.event.occurredAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test('shows an event that committed late under an older id and time', async () => {
    const older = newId('event');
    await log.append([draft({ n: 'early' })]);
    const { cursor } = (await log.read({ limit: 10 })).items.at(-1) as { cursor: string };
    await log.append([draft({ n: 'late' }, { eventId: older, occurredAt: Date.now() - 60_000 })]);
    expect(await readAll({ after: cursor })).toEqual([{ n: 'late' }]);
  });

  test('writes an event with the same id once', async () => {
    const eventId = newId('event');
    await log.append([draft({ n: 1 }, { eventId })]);
    await log.append([draft({ n: 1 }, { eventId }), draft({ n: 2 })]);
    expect(await readAll()).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('writes an event together with what it reports, or not at all', async () => {
    const impossible = {
      op: 'update',
      collection: 'users',
      filter: { _id: 'nobody' },
      update: { $set: { x: 1 } },
    } as const;
    await expect(temporary.store.atomically([log.write(draft({ n: 1 })), impossible])).rejects.toMatchObject({
      type: 'CONDITION_FAILED',
    });
    expect(await readAll()).toEqual([]);
  });

  test('pages without gaps, filters by user, type and connection', async () => {
    const drafts = Array.from({ length: 25 }, (_, n) =>
      draft({ n }, { userId: n % 2 ? 'bert' : 'anna', ...(n % 5 ? {} : { type: 'auth.qr', connectionId: null }) }),
    );
    await log.append(drafts);
    const seen: unknown[] = [];
    let after: string | undefined;
    do {
      const { items, next } = await log.read({ after, limit: 4, userId: 'anna' });
      seen.push(...items.map((item) => (item.event.data as { n: number }).n));
      after = next ?? undefined;
    } while (after);
    expect(seen).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24]);
    expect(await readAll({ types: ['auth.qr'], userId: 'bert' })).toEqual([{ n: 5 }, { n: 15 }]);
    expect(await readAll({ connectionId: CONNECTION, userId: 'bert', types: ['auth.qr'] })).toEqual([]);
  });

  test.each(['', 'x', 'MTowMQ', '***', encodeCursor(7).slice(1), Buffer.from('1:-1').toString('base64url'), 'Mjox'])(
    'refuses the cursor %j',
    async (after) => {
      await expect(log.read({ after, limit: 1 })).rejects.toMatchObject({ type: 'BAD_REQUEST' });
    },
  );

  test('keeps the data unreadable in the store, and bound to its event', async () => {
    await log.append([draft({ text: 'canary-4711' }), draft({ text: 'other' })]);
    const events = temporary.store.collection<EventDoc>('events');
    const [first, second] = (await events.find({}, { sort: [['position', 1]] })) as [EventDoc, EventDoc];
    expect(Buffer.from(first.data).toString('latin1')).not.toContain('canary');
    await events.updateOne({ _id: second._id }, { $set: { data: first.data } });
    await expect(log.get(second._id)).rejects.toMatchObject({ type: 'SESSION_QUARANTINED' });
  });
});

describe('following the event log', () => {
  async function follow(options: { after?: string; userId?: string }, until: (seen: number[]) => boolean) {
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const { event } of followEvents(log, { ...options, signal: stop.signal, batchSize: 7 })) {
      seen.push((event.data as { n: number }).n);
      if (until(seen)) stop.abort();
    }
    return seen;
  }

  test('replays, then follows several writers at once without gaps or duplicates', async () => {
    const COUNT = 400;
    await log.append(Array.from({ length: 50 }, (_, n) => draft({ n })));
    const following = follow({ after: encodeCursor(0) }, (seen) => seen.length >= COUNT);
    // Two logs over one store: the second one's commits ring no bell in the first.
    const writers = [log, openLog(), log, openLog()].map(async (writer, index) => {
      for (let n = 50 + index; n < COUNT; n += 4) await writer.append([draft({ n })]);
    });
    await Promise.all(writers);
    const seen = await following;
    expect(seen).toHaveLength(COUNT);
    expect(new Set(seen).size).toBe(COUNT);
    expect(seen).toEqual(await readAll().then((all) => all.map((data) => (data as { n: number }).n)));
  });

  test('starts from now without a cursor, and sees only its own events', async () => {
    await log.append([draft({ n: 1 })]);
    const following = follow({ userId: 'bert' }, (seen) => seen.length === 2);
    await log.head();
    await eventually(async () => {
      await log.append([draft({ n: 2 }), draft({ n: 3 }, { userId: 'bert' })]);
      expect(await readAll({ userId: 'bert' })).toHaveLength(2);
    });
    expect(await following).toEqual([3, 3]);
  });

  test('ends at once when it is aborted while it waits, and leaves no listener behind', async () => {
    const stop = new AbortController();
    const next = followEvents(log, { signal: stop.signal }).next();
    await log.head();
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  test('reads no more than the consumer takes', async () => {
    await log.append(Array.from({ length: 30 }, (_, n) => draft({ n })));
    let reads = 0;
    const counting: EventLog = {
      ...log,
      read(query) {
        reads += 1;
        return log.read(query);
      },
    };
    const stop = new AbortController();
    const events = followEvents(counting, { after: encodeCursor(0), signal: stop.signal, batchSize: 10 });
    for (let n = 0; n < 10; n += 1) await events.next();
    expect(reads).toBe(1);
    await events.next();
    expect(reads).toBe(2);
    await events.return();
  });
});
