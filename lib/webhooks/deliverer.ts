import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { DeliveryDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import type { Attempt } from './attempt.ts';
import { DELIVERIES } from './delivery-rows.ts';
import type { DeliveryOptions } from './options.ts';

export interface DelivererDeps {
  store: Store;
  clock: Clock;
  log: Log;
  attempt: Attempt;
  options: DeliveryOptions;
  /** false = another process delivers now: begin nothing new */
  mayDeliver: () => boolean;
}

/**
 * Runs due deliveries. Every webhook that has some is a lane of its own, with its own limit on attempts at once, and
 * lanes take turns: a receiver that hangs holds its few places and delays nobody else's deliveries. What is due is
 * always read from the store; a lane in memory only says when to look next.
 */
export interface Deliverer {
  /** There may be something due for this webhook. */
  wake(webhookId: string): void;
  /** Begins nothing more; resolves when what runs has ended. */
  stop(): Promise<void>;
}

interface Lane {
  readonly webhookId: string;
  readonly running: Set<string>;
  looking: boolean;
  /** when something is due, ms; Infinity = nothing known */
  lookAt: number;
}

/** After the store failed, before a lane looks again. */
const STORE_RETRY_MS = 1_000;

export function createDeliverer({ store, clock, log, attempt, options, mayDeliver }: DelivererDeps): Deliverer {
  const deliveries = store.collection<DeliveryDoc>(DELIVERIES);
  const lanes = new Map<string, Lane>();
  const working = new Set<Promise<void>>();
  let inFlight = 0;
  let stopped = false;
  let timer: { at: number; cancel: () => void } | null = null;

  function laneOf(webhookId: string): Lane {
    const known = lanes.get(webhookId);
    if (known) return known;
    const lane: Lane = { webhookId, running: new Set(), looking: false, lookAt: Number.POSITIVE_INFINITY };
    lanes.set(webhookId, lane);
    return lane;
  }

  function wakeAt(lane: Lane, at: number): void {
    lane.lookAt = Math.min(lane.lookAt, at);
    pump();
  }

  /** Starts a look in every lane that is due and has a free place; the rest waits for the timer or for a place. */
  function pump(): void {
    if (stopped || !mayDeliver()) return;
    const now = clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const lane of [...lanes.values()]) {
      if (lane.lookAt > now) next = Math.min(next, lane.lookAt);
      else if (!lane.looking && inFlight < options.maxInFlight && places(lane) > 0) track(look(lane, now));
      forgetIdle(lane);
    }
    armTimer(next);
  }

  function armTimer(at: number): void {
    if (timer && timer.at <= at) return;
    timer?.cancel();
    if (at === Number.POSITIVE_INFINITY) {
      timer = null;
      return;
    }
    const cancel = clock.after(Math.max(0, at - clock.now()), () => {
      timer = null;
      pump();
    });
    timer = { at, cancel };
  }

  const places = (lane: Lane) => options.maxInFlightPerWebhook - lane.running.size;

  function forgetIdle(lane: Lane): void {
    if (!lane.looking && lane.running.size === 0 && lane.lookAt === Number.POSITIVE_INFINITY)
      lanes.delete(lane.webhookId);
  }

  function track(work: Promise<void>): void {
    const tracked: Promise<void> = work.finally(() => working.delete(tracked));
    working.add(tracked);
  }

  async function look(lane: Lane, now: number): Promise<void> {
    lane.looking = true;
    lane.lookAt = Number.POSITIVE_INFINITY;
    try {
      const wanted = options.maxInFlightPerWebhook;
      const due = await deliveries.find(
        { webhookId: lane.webhookId, status: 'pending', nextAttemptAt: { $lte: now } },
        { sort: [['nextAttemptAt', 1]], limit: wanted },
      );
      const begun = due.filter((delivery) => begin(lane, delivery));
      // Those that run leave the list with their claim; whatever was not begun or did not fit is looked for again then.
      if (due.length === wanted || begun.length < due.length) lane.lookAt = now;
      else await findNext(lane, now);
    } catch (error) {
      log.warn({ webhookId: lane.webhookId, err: error }, 'due deliveries could not be read');
      lane.lookAt = Math.min(lane.lookAt, clock.now() + STORE_RETRY_MS);
    } finally {
      lane.looking = false;
      // to the back of the queue: when places are short, the others' turn comes first
      lanes.delete(lane.webhookId);
      lanes.set(lane.webhookId, lane);
      pump();
    }
  }

  async function findNext(lane: Lane, now: number): Promise<void> {
    const next = await deliveries.findOne(
      { webhookId: lane.webhookId, status: 'pending', nextAttemptAt: { $gt: now } },
      { sort: [['nextAttemptAt', 1]] },
    );
    if (next?.nextAttemptAt) lane.lookAt = Math.min(lane.lookAt, next.nextAttemptAt);
  }

  /** @returns whether it was begun (or runs already) */
  function begin(lane: Lane, delivery: DeliveryDoc): boolean {
    if (lane.running.has(delivery._id)) return true;
    if (stopped || inFlight >= options.maxInFlight || places(lane) <= 0) return false;
    lane.running.add(delivery._id);
    inFlight += 1;
    track(run(lane, delivery));
    return true;
  }

  async function run(lane: Lane, delivery: DeliveryDoc): Promise<void> {
    let next: number | null;
    try {
      next = await attempt(delivery);
    } catch (error) {
      log.warn({ deliveryId: delivery._id, err: error }, 'an attempt could not be carried out');
      next = clock.now() + STORE_RETRY_MS;
    }
    inFlight -= 1;
    lane.running.delete(delivery._id);
    wakeAt(lane, next ?? Number.POSITIVE_INFINITY);
  }

  return {
    wake(webhookId) {
      if (!stopped) wakeAt(laneOf(webhookId), clock.now());
    },

    async stop() {
      stopped = true;
      timer?.cancel();
      timer = null;
      while (working.size > 0) await Promise.all(working);
    },
  };
}
