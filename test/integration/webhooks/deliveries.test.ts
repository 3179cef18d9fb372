import { Webhook as Verifier } from 'standardwebhooks';
import { systemClock } from '../../../lib/clock.ts';
import { createMemoryLocks } from '../../../lib/cluster/memory-locks.ts';
import type { Caller } from '../../../lib/contracts/action.ts';
import type { EventDraft, EventLog } from '../../../lib/events/event-log.port.ts';
import { createEventLog } from '../../../lib/events/event-log.ts';
import { silentLog } from '../../../lib/log.ts';
import type { ConnectionDoc, DeliveryDoc, JobDoc, WebhookDoc } from '../../../lib/storage/collections.ts';
import { createVault } from '../../../lib/storage/vault.ts';
import { sweepWebhooks } from '../../../lib/webhooks/cleanup.ts';
import { createDeliveries, type Deliveries } from '../../../lib/webhooks/deliveries.ts';
import { createWebhookEngine, type WebhookEngine } from '../../../lib/webhooks/engine.ts';
import { createGuardedFetch } from '../../../lib/webhooks/guarded-fetch.ts';
import type { DeliveryOptions } from '../../../lib/webhooks/options.ts';
import { createWebhooks, type Webhooks } from '../../../lib/webhooks/webhooks.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type HttpReceiver, httpReceiver } from '../../helpers/http-receiver.ts';
import { type TemporaryStore, temporaryStore } from '../../helpers/temporary-store.ts';

const anna: Caller = { userId: 'anna', role: 'user', keyId: 'key_1' };
const bert: Caller = { userId: 'bert', role: 'user', keyId: 'key_2' };
const admin: Caller = { userId: 'root', role: 'admin', keyId: 'key_0' };
const CONNECTION = 'con_01ARZ3NDEKTSV4RRFFQ69G5FAV';
const vault = createVault(Buffer.alloc(32, 7));
const QUICK: Partial<DeliveryOptions> = {
  schedule: { delaysMs: [20, 40, 60], jitter: 0.2, maxRetryAfterMs: 400 },
  timeoutMs: 2_000,
  leaseMs: 2_500,
};

interface Process {
  events: EventLog;
  engine: WebhookEngine;
  webhooks: Webhooks;
  deliveries: Deliveries;
}

let temporary: TemporaryStore;
let started: Process[];
let receivers: HttpReceiver[];

/** Everything of the webhooks as one process has it, over the store that all share. */
function createProcess(
  options: Partial<DeliveryOptions> = {},
  locks = createMemoryLocks({ clock: systemClock }),
): Process {
  const { store } = temporary;
  const events = createEventLog({ store, vault, clock: systemClock });
  const fetch = createGuardedFetch({ allowPrivateTargets: true });
  const parts = { store, vault, events, clock: systemClock, log: silentLog };
  const engine = createWebhookEngine({
    ...parts,
    locks,
    fetch,
    holder: `node:${Math.random()}`,
    options: { ...QUICK, ...options },
  });
  const { changed: onChange, attemptNow } = engine;
  return {
    events,
    engine,
    webhooks: createWebhooks({ ...parts, allowPrivateTargets: true, onChange }),
    deliveries: createDeliveries({ ...parts, onChange, attemptNow }),
  };
}

async function startProcess(options?: Partial<DeliveryOptions>): Promise<Process> {
  const process = createProcess(options);
  started.push(process);
  await process.engine.start();
  return process;
}

async function receiver(): Promise<HttpReceiver> {
  const made = await httpReceiver();
  receivers.push(made);
  return made;
}

function draft(n: number, over: Partial<EventDraft> = {}): EventDraft {
  return { type: 'message.received', userId: 'anna', connectionId: CONNECTION, epoch: 1, data: { n }, ...over };
}

const numbers = (from: HttpReceiver) => from.received.map((request) => JSON.parse(request.body).data.n as number);
const ascending = (values: number[]) => values.toSorted((a, b) => a - b);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

async function deliveriesOf(webhookId: string): Promise<DeliveryDoc[]> {
  return temporary.store.collection<DeliveryDoc>('deliveries').find({ webhookId }, { sort: [['_id', 1]] });
}

beforeEach(async () => {
  temporary = await temporaryStore();
  started = [];
  receivers = [];
});

afterEach(async () => {
  await Promise.all(receivers.map((each) => each.close()));
  await Promise.all(started.map((process) => process.engine.stop()));
  await temporary.remove();
});

describe('webhook deliveries', () => {
  test('push each matching event, signed, as the log shows it', async () => {
    const { events, webhooks } = await startProcess();
    const target = await receiver();
    const { webhookId, secret } = await webhooks.create(anna, {
      url: `${target.url}hook`,
      eventTypes: ['message.received'],
      headers: { Authorization: 'Bearer t' },
    });
    await events.append([draft(0), draft(1, { type: 'message.status' }), draft(2, { userId: 'bert' })]);
    await eventually(async () => expect(await deliveriesOf(webhookId)).toMatchObject([{ status: 'succeeded' }]));
    const [request] = target.received;
    const [first] = (await events.read({ limit: 1 })).items;
    expect(request?.url).toBe('/hook');
    expect(request?.body).toBe(JSON.stringify(first?.event));
    expect(request?.headers).toMatchObject({
      'webhook-id': first?.event.eventId,
      'content-type': 'application/json; charset=utf-8',
      authorization: 'Bearer t',
    });
    const signed = request?.headers as Record<string, string>;
    expect(new Verifier(secret as string).verify(request?.body as string, signed)).toEqual(first?.event);
    expect(target.received).toHaveLength(1);
    const [delivery] = await deliveriesOf(webhookId);
    expect(delivery?.attempts).toMatchObject([{ statusCode: 200, error: null, durationMs: expect.any(Number) }]);
    const job = await temporary.store.collection<JobDoc>('jobs').findOne({ _id: delivery?.jobId as string });
    expect(job).toMatchObject({
      jobType: 'webhook.deliver',
      status: 'completed',
      attempts: 1,
      subjectId: delivery?._id,
    });
  });

  test("reach the webhooks of the event's user, of its connection and of admins, and nobody else's", async () => {
    const { events, webhooks } = await startProcess();
    await temporary.store
      .collection<ConnectionDoc>('connections')
      .insertOne({ _id: CONNECTION, userId: 'anna', deletedAt: null } as ConnectionDoc);
    const [own, narrow, foreign, all] = await Promise.all([receiver(), receiver(), receiver(), receiver()]);
    const eventTypes = ['*' as const];
    await webhooks.create(anna, { url: own.url, eventTypes });
    await webhooks.create(anna, { url: narrow.url, eventTypes, connectionId: CONNECTION });
    await webhooks.create(bert, { url: foreign.url, eventTypes });
    await webhooks.create(admin, { url: all.url, eventTypes });
    await expect(webhooks.create(bert, { url: own.url, eventTypes, connectionId: CONNECTION })).rejects.toMatchObject({
      type: 'NOT_FOUND',
    });
    await events.append([draft(0), draft(1, { connectionId: null }), draft(2, { userId: 'bert', connectionId: null })]);
    await eventually(() => {
      expect(ascending(numbers(own))).toEqual([0, 1]);
      expect(numbers(narrow)).toEqual([0]);
      expect(numbers(foreign)).toEqual([2]);
      expect(ascending(numbers(all))).toEqual([0, 1, 2]);
    });
  });

  // fault 32
  test('are retried with the same id and bytes, then given up, each attempt listed', async () => {
    const { events, webhooks, deliveries } = await startProcess();
    const target = await receiver();
    const { webhookId } = await webhooks.create(anna, { url: target.url, eventTypes: ['*'] });
    target.answer((res) => res.writeHead(500).end());
    await events.append([draft(0)]);
    await eventually(async () => expect(await deliveriesOf(webhookId)).toMatchObject([{ status: 'failed' }]));
    expect(target.received).toHaveLength(4);
    expect(new Set(target.received.map((request) => request.body)).size).toBe(1);
    expect(new Set(target.received.map((request) => request.headers['webhook-id'])).size).toBe(1);
    const { items } = await deliveries.list(anna, webhookId, {});
    expect(items[0]).toMatchObject({
      status: 'failed',
      nextAttemptAt: null,
      attempts: Array(4).fill({ statusCode: 500 }),
    });

    target.answer((res) => res.end());
    const { deliveryId } = items[0] as { deliveryId: string };
    await expect(deliveries.redeliver(bert, webhookId, deliveryId)).rejects.toMatchObject({ type: 'NOT_FOUND' });
    await deliveries.redeliver(anna, webhookId, deliveryId);
    await eventually(async () => expect(await deliveriesOf(webhookId)).toMatchObject([{ status: 'succeeded' }]));
    expect(target.received.at(-1)?.body).toBe(target.received[0]?.body);
    expect((await deliveriesOf(webhookId))[0]?.attempts).toHaveLength(5);
    expect(await temporary.store.collection('jobs').count({ subjectId: deliveryId })).toBe(2);
  });

  test('wait as long as Retry-After says, within bounds', async () => {
    const { events, webhooks } = await startProcess();
    const target = await receiver();
    await webhooks.create(anna, { url: target.url, eventTypes: ['*'] });
    target.answer((res) => {
      if (target.received.length > 1) res.end();
      else res.writeHead(429, { 'retry-after': '3600' }).end();
    });
    await events.append([draft(0)]);
    await eventually(() => expect(target.received).toHaveLength(2));
    const [first, second] = target.received;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(399);
  });

  test('end with 410: the webhook is disabled, says why, and its owner hears of it', async () => {
    const { events, webhooks } = await startProcess();
    const [gone, other] = [await receiver(), await receiver()];
    const { webhookId } = await webhooks.create(anna, { url: gone.url, eventTypes: ['message.received'] });
    await webhooks.create(anna, { url: other.url, eventTypes: ['webhook.disabled'] });
    gone.answer((res) => res.writeHead(410).end());
    await events.append([draft(0)]);
    await eventually(() => expect(other.received).toHaveLength(1));
    const data = { webhookId, url: gone.url, reason: 'The receiver answered 410 Gone.' };
    expect(JSON.parse(other.received[0]?.body ?? '')).toMatchObject({ type: 'webhook.disabled', userId: 'anna', data });
    const row = await temporary.store.collection<WebhookDoc>('webhooks').findOne({ _id: webhookId });
    expect(row).toMatchObject({ enabled: false, disabledReason: data.reason });
    await events.append([draft(1)]);
    await eventually(async () => expect(await deliveriesOf(webhookId)).toMatchObject([{ status: 'failed' }]));
    expect(numbers(gone)).toEqual([0]);
  });

  test('count a redirect as a failure and do not follow it', async () => {
    const { events, webhooks } = await startProcess();
    const [target, elsewhere] = [await receiver(), await receiver()];
    const { webhookId } = await webhooks.create(anna, { url: target.url, eventTypes: ['*'] });
    target.answer((res) => res.writeHead(302, { location: elsewhere.url }).end());
    await events.append([draft(0)]);
    await eventually(async () => expect(await deliveriesOf(webhookId)).toMatchObject([{ status: 'failed' }]));
    expect((await deliveriesOf(webhookId))[0]?.attempts[0]?.error).toContain('redirects are not followed');
    expect(elsewhere.connections()).toBe(0);
  });

  // fault 33
  test('of other webhooks are not held up by receivers that hang', async () => {
    const { events, webhooks } = await startProcess({ maxInFlight: 16, maxInFlightPerWebhook: 4 });
    const [hanging, healthy] = [await receiver(), await receiver()];
    hanging.answer(() => undefined);
    await webhooks.create(anna, { url: hanging.url, eventTypes: ['*'] });
    await webhooks.create(anna, { url: healthy.url, eventTypes: ['*'] });
    const begun = performance.now();
    await events.append(upTo(100).map((n) => draft(n)));
    await eventually(() => expect(ascending(numbers(healthy))).toEqual(upTo(100)));
    expect(performance.now() - begun).toBeLessThan(1_900);
    expect(hanging.received).toHaveLength(4);
  });

  test('begin with what commits after the webhook was made or enabled', async () => {
    const { events, webhooks } = await startProcess();
    const target = await receiver();
    await events.append([draft(0)]);
    const { webhookId } = await webhooks.create(anna, { url: target.url, eventTypes: ['*'], enabled: false });
    await events.append([draft(1)]);
    await webhooks.update(anna, webhookId, { enabled: true });
    await events.append([draft(2)]);
    await eventually(() => expect(numbers(target)).toEqual([2]));
    await webhooks.update(anna, webhookId, { enabled: false });
    await events.append([draft(3)]);
    await webhooks.update(anna, webhookId, { enabled: true });
    await events.append([draft(4)]);
    await eventually(() => expect(numbers(target)).toEqual([2, 4]));
  });

  test('that are pending end when the webhook is disabled, and go with it when it is deleted', async () => {
    const { events, webhooks } = await startProcess({
      schedule: { delaysMs: [60_000], jitter: 0, maxRetryAfterMs: 0 },
    });
    const target = await receiver();
    target.answer((res) => res.writeHead(500).end());
    const { webhookId } = await webhooks.create(anna, { url: target.url, eventTypes: ['*'] });
    await events.append([draft(0)]);
    await eventually(async () => expect((await deliveriesOf(webhookId))[0]?.attempts).toHaveLength(1));
    await webhooks.update(anna, webhookId, { enabled: false });
    const [delivery] = await deliveriesOf(webhookId);
    expect(delivery).toMatchObject({ status: 'failed', nextAttemptAt: null });
    const job = { _id: delivery?.jobId as string };
    expect(await temporary.store.collection<JobDoc>('jobs').findOne(job)).toMatchObject({ status: 'cancelled' });
    await expect(webhooks.remove(bert, webhookId)).rejects.toMatchObject({ type: 'NOT_FOUND' });
    await webhooks.remove(anna, webhookId);
    expect(await deliveriesOf(webhookId)).toEqual([]);
    await expect(webhooks.remove(anna, webhookId)).rejects.toMatchObject({ type: 'NOT_FOUND' });
  });

  test('of a test go to that webhook alone, at once and once, disabled or not', async () => {
    const { webhooks, deliveries } = await startProcess();
    const [target, other] = [await receiver(), await receiver()];
    const { webhookId } = await webhooks.create(anna, { url: target.url, eventTypes: ['auth.qr'], enabled: false });
    const { webhookId: otherId } = await webhooks.create(anna, { url: other.url, eventTypes: ['*'] });
    expect(await deliveries.test(anna, webhookId)).toMatchObject({
      status: 'succeeded',
      eventType: 'webhook.test',
      attempts: [{ statusCode: 200 }],
    });
    target.answer((res) => res.writeHead(500).end());
    expect(await deliveries.test(anna, webhookId)).toMatchObject({ status: 'failed', attempts: [{ statusCode: 500 }] });
    expect(target.received).toHaveLength(2);
    expect(await deliveriesOf(otherId)).toEqual([]);
    await expect(deliveries.test(bert, webhookId)).rejects.toMatchObject({ type: 'NOT_FOUND' });
  });

  test('that failed are all begun anew on request, within the times given', async () => {
    const { events, webhooks, deliveries } = await startProcess({
      schedule: { delaysMs: [], jitter: 0, maxRetryAfterMs: 0 },
    });
    const target = await receiver();
    target.answer((res) => res.writeHead(503).end());
    const { webhookId } = await webhooks.create(anna, { url: target.url, eventTypes: ['*'] });
    await events.append(upTo(120).map((n) => draft(n)));
    const failed = { webhookId, status: 'failed' };
    await eventually(async () => expect(await temporary.store.collection('deliveries').count(failed)).toBe(120));
    target.answer((res) => res.end());
    target.received.length = 0;
    const past = { to: '2001-01-01T00:00:00Z' };
    expect(await deliveries.redeliverMany(anna, webhookId, past)).toEqual({ redelivered: 0 });
    expect(await deliveries.redeliverMany(anna, webhookId, {})).toEqual({ redelivered: 120 });
    await eventually(() => expect(ascending(numbers(target))).toEqual(upTo(120)));
  });

  test('show no secret and no header value in the store', async () => {
    const { webhooks } = createProcess();
    const secret = `whsec_${Buffer.alloc(32, 'canary').toString('base64')}`;
    const created = await webhooks.create(anna, {
      url: 'http://127.0.0.1:9/',
      eventTypes: ['*'],
      secret,
      headers: { 'x-token': 'canary-4711' },
    });
    expect(created).toMatchObject({ secret, headers: ['x-token'] });
    const row = await temporary.store.collection<WebhookDoc>('webhooks').findOne({ _id: created.webhookId });
    for (const sealed of [row?.secret, row?.headers]) {
      expect(Buffer.from(sealed as Uint8Array).toString('latin1')).not.toContain('canary');
    }
    expect(await webhooks.update(anna, created.webhookId, {})).not.toHaveProperty('secret');
  });
});

describe('webhook deliveries over a crash', () => {
  test('are neither lost nor made twice when the process is replaced again and again', async () => {
    const COUNT = 300;
    const target = await receiver();
    const { webhooks } = createProcess();
    const { webhookId } = await webhooks.create(anna, { url: target.url, eventTypes: ['*'] });
    const writer = createEventLog({ store: temporary.store, vault, clock: systemClock });
    const writing = (async () => {
      for (let n = 0; n < COUNT; n += 3) await writer.append([draft(n), draft(n + 1), draft(n + 2)]);
    })();
    // Never stopped in order: each keeps running beside its successor, as a process does that was paused and wakes up.
    for (let round = 0; round < 5; round += 1) {
      const before = target.received.length;
      await startProcess();
      await eventually(() => expect(target.received.length).toBeGreaterThan(Math.min(before, COUNT - 1)));
    }
    await writing;
    const succeeded = { webhookId, status: 'succeeded' };
    await eventually(async () => expect(await temporary.store.collection('deliveries').count(succeeded)).toBe(COUNT));
    expect(await deliveriesOf(webhookId)).toHaveLength(COUNT);
    expect(new Set(numbers(target))).toEqual(new Set(upTo(COUNT)));
    // Two processes share the work by claims: nothing was sent twice although nobody crashed in the middle of a request.
    expect(target.received).toHaveLength(COUNT);
  });

  test('go on after an attempt whose process died, which stays listed', async () => {
    const target = await receiver();
    const { webhooks, events, engine } = createProcess();
    const { webhookId } = await webhooks.create(anna, { url: target.url, eventTypes: ['*'] });
    await engine.start();
    target.answer(() => undefined);
    await events.append([draft(0)]);
    await eventually(() => expect(target.received).toHaveLength(1));
    // What a killed process leaves behind: the claim, and nobody who settles it. The receiver answers the next one.
    const [claimed] = await deliveriesOf(webhookId);
    await temporary.store
      .collection<DeliveryDoc>('deliveries')
      .updateOne({ _id: claimed?._id as string }, { $set: { claimedAt: 1, nextAttemptAt: Date.now() } });
    target.answer((res) => res.end());
    await startProcess();
    await eventually(async () => expect(await deliveriesOf(webhookId)).toMatchObject([{ status: 'succeeded' }]));
    expect((await deliveriesOf(webhookId))[0]?.attempts).toMatchObject([
      { statusCode: null, error: expect.stringContaining('process ended') },
      { statusCode: 200 },
    ]);
    await engine.stop();
    expect(await deliveriesOf(webhookId)).toMatchObject([{ status: 'succeeded', attempts: [{}, {}] }]);
  });

  test('of webhooks that were being disabled or deleted are finished by the sweep', async () => {
    const { webhooks } = createProcess();
    const events = createEventLog({ store: temporary.store, vault, clock: systemClock });
    const [off, deleted] = [
      await webhooks.create(anna, { url: 'http://127.0.0.1:9/', eventTypes: ['*'] }),
      await webhooks.create(anna, { url: 'http://127.0.0.1:9/', eventTypes: ['*'] }),
    ];
    const { store } = temporary;
    await events.append([draft(0)]);
    const stopped = createProcess({ maxInFlight: 0 });
    await stopped.engine.start();
    await eventually(async () => expect(await store.collection('deliveries').count({ status: 'pending' })).toBe(2));
    await stopped.engine.stop();
    const rows = store.collection<WebhookDoc>('webhooks');
    await rows.updateOne({ _id: off.webhookId }, { $set: { enabled: false } });
    await rows.updateOne({ _id: deleted.webhookId }, { $set: { enabled: false, deletedAt: 1 } });
    await sweepWebhooks(store, systemClock);
    expect(await deliveriesOf(off.webhookId)).toMatchObject([{ status: 'failed' }]);
    expect(await deliveriesOf(deleted.webhookId)).toEqual([]);
    expect(await rows.count({})).toBe(1);
    expect(await store.collection('jobs').count({ status: 'cancelled' })).toBe(2);
  });
});
