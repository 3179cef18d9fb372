import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { createDueSends } from '../../../lib/scheduler/due-sends.ts';
import { DEFAULT_RETENTION, prune } from '../../../lib/scheduler/retention.ts';
import { createScheduler } from '../../../lib/scheduler/scheduler.ts';
import type { Doc } from '../../../lib/storage/port.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type TemporaryStore, temporaryStore } from '../../helpers/temporary-store.ts';

const DAY_MS = 24 * 60 * 60_000;
const running = new AbortController().signal;
let temporary: TemporaryStore;

beforeEach(async () => {
  temporary = await temporaryStore();
});

afterEach(() => temporary.remove());

function insert(collection: string, ...docs: (Doc & Record<string, unknown>)[]) {
  return temporary.store.collection(collection).insertMany(docs);
}

async function idsIn(collection: string): Promise<string[]> {
  return (await temporary.store.collection(collection).find({})).map((doc) => doc._id).toSorted();
}

const pruneAll = (signal = running) =>
  prune({ store: temporary.store, clock: systemClock, retention: DEFAULT_RETENTION }, signal);

describe('retention', () => {
  const old = Date.now() - 31 * DAY_MS;
  const recent = Date.now() - 29 * DAY_MS;

  test('deletes what is past its time and nothing else', async () => {
    await insert('events', { _id: 'old', occurredAt: old }, { _id: 'recent', occurredAt: recent });
    await insert(
      'deliveries',
      { _id: 'old', webhookId: 'w', eventId: '1', createdAt: old, status: 'failed' },
      { _id: 'old-pending', webhookId: 'w', eventId: '2', createdAt: old, status: 'pending' },
      { _id: 'recent', webhookId: 'w', eventId: '3', createdAt: recent, status: 'succeeded' },
    );
    await insert(
      'jobs',
      { _id: 'old-send', jobType: 'message.send', status: 'completed', runAt: old },
      { _id: 'old-parked', jobType: 'message.send', status: 'parked', runAt: old },
      { _id: 'old-deliver', jobType: 'webhook.deliver', status: 'cancelled', runAt: old },
      { _id: 'recent', jobType: 'webhook.deliver', status: 'failed', runAt: recent },
    );
    await insert(
      'idempotency',
      { _id: 'past', expiresAt: Date.now() - 1 },
      { _id: 'valid', expiresAt: Date.now() + DAY_MS },
    );
    await insert(
      'workers',
      { _id: 'old', status: 'ended', endedAt: old },
      { _id: 'live', status: 'live', endedAt: null },
    );
    await insert('connectionHistory', { _id: 'older', at: old - 60 * DAY_MS }, { _id: 'old', at: old });
    const anHour = 60 * 60_000;
    await insert(
      'nodes',
      { _id: 'gone', updatedAt: Date.now() - anHour - 1 },
      { _id: 'restarting', updatedAt: Date.now() - anHour / 2 },
    );
    expect(await pruneAll()).toEqual({
      events: 1,
      deliveries: 1,
      jobs: 2,
      idempotency: 1,
      workers: 1,
      connectionHistory: 1,
      nodes: 1,
    });
    expect(await idsIn('events')).toEqual(['recent']);
    expect(await idsIn('deliveries')).toEqual(['old-pending', 'recent']);
    expect(await idsIn('jobs')).toEqual(['old-parked', 'recent']);
    expect(await idsIn('idempotency')).toEqual(['valid']);
    expect(await idsIn('workers')).toEqual(['live']);
    expect(await idsIn('connectionHistory')).toEqual(['old']);
    expect(await idsIn('nodes')).toEqual(['restarting']);
    expect(await pruneAll()).toEqual({});
  });

  test('keeps an old event that a webhook has not got to yet', async () => {
    await insert('events', { _id: 'seen', occurredAt: old }, { _id: 'unseen', occurredAt: old });
    const events = await temporary.store.collection<Doc & { position: number }>('events').find({ _id: 'seen' });
    await insert('webhooks', { _id: 'w', enabled: true, cursor: events[0]?.position });
    await pruneAll();
    expect(await idsIn('events')).toEqual(['unseen']);
  });

  test('works in batches and ends between them when asked', async () => {
    const docs = Array.from({ length: 1_200 }, (_, n) => ({ _id: `i${n}`, expiresAt: 1 }));
    await insert('idempotency', ...docs);
    const stop = new AbortController();
    stop.abort();
    expect(await pruneAll(stop.signal)).toEqual({});
    expect(await pruneAll()).toEqual({ idempotency: 1_200 });
  });
});

describe('due sends', () => {
  test('wake each connection once, when its scheduled message becomes due, and not for immediate ones', async () => {
    const woken: string[] = [];
    const look = createDueSends({
      store: temporary.store,
      clock: systemClock,
      wake: async (connectionId) => void woken.push(connectionId),
    });
    const now = Date.now();
    const job = { jobType: 'message.send', status: 'pending', createdAt: now - 4_000 };
    await insert(
      'jobs',
      { ...job, _id: '1', connectionId: 'scheduled', runAt: now - 1_000 },
      { ...job, _id: '2', connectionId: 'scheduled', runAt: now - 900 },
      { ...job, _id: '3', connectionId: 'immediate', runAt: now - 4_000 },
      { ...job, _id: '4', connectionId: 'tomorrow', runAt: now + DAY_MS },
      { ...job, _id: '5', connectionId: 'cancelled', runAt: now - 800, status: 'cancelled' },
    );
    await look();
    expect(woken).toEqual(['scheduled']);
    await look();
    expect(woken).toEqual(['scheduled']);
  });
});

describe('scheduler', () => {
  test('runs tasks while it leads, again after a failure, and stops for good', async () => {
    let leads = false;
    const runs = { steady: 0, failing: 0 };
    const scheduler = createScheduler({
      clock: systemClock,
      log: silentLog,
      isLeader: () => leads,
      tasks: [
        {
          name: 'steady',
          everyMs: 10,
          async run() {
            runs.steady += 1;
          },
        },
        {
          name: 'failing',
          everyMs: 10,
          async run() {
            runs.failing += 1;
            throw new Error('on purpose');
          },
        },
      ],
    });
    scheduler.start();
    const waited = performance.now() + 60;
    await eventually(() => expect(performance.now()).toBeGreaterThan(waited));
    expect(runs).toEqual({ steady: 0, failing: 0 });
    leads = true;
    await eventually(() => {
      expect(runs.steady).toBeGreaterThan(2);
      expect(runs.failing).toBeGreaterThan(2);
    });
    await scheduler.stop();
    const after = { ...runs };
    const later = performance.now() + 60;
    await eventually(() => expect(performance.now()).toBeGreaterThan(later));
    expect(runs).toEqual(after);
  });

  test('stops only when the running task has ended, which it asks for', async () => {
    let ended = false;
    let begun = false;
    const scheduler = createScheduler({
      clock: systemClock,
      log: silentLog,
      isLeader: () => true,
      tasks: [
        {
          name: 'long',
          everyMs: 1,
          run: (signal) => {
            begun = true;
            return new Promise((resolve) => {
              signal.addEventListener('abort', () => {
                ended = true;
                resolve();
              });
            });
          },
        },
      ],
    });
    scheduler.start();
    await eventually(() => expect(begun).toBe(true));
    await scheduler.stop();
    expect(ended).toBe(true);
  });
});
