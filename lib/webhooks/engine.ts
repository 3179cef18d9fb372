import type { Clock } from '../clock.ts';
import { createLeadership } from '../cluster/leadership.ts';
import type { Locks } from '../cluster/locks.port.ts';
import type { EventLog } from '../events/event-log.port.ts';
import type { Log } from '../log.ts';
import type { DeliveryDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';
import { createAttempt } from './attempt.ts';
import { createDeliverer, type Deliverer } from './deliverer.ts';
import { createDispatcher } from './dispatcher.ts';
import type { GuardedFetch } from './guarded-fetch.ts';
import { DEFAULT_DELIVERY_OPTIONS, type DeliveryOptions } from './options.ts';
import { createWebhookRegistry } from './registry.ts';

export interface WebhookEngineDeps {
  store: Store;
  vault: Vault;
  events: EventLog;
  locks: Locks;
  clock: Clock;
  log: Log;
  fetch: GuardedFetch;
  /** `nodeId:incarnation` */
  holder: string;
  options?: Partial<DeliveryOptions>;
}

/**
 * What runs behind the webhooks: one process (led by a lock) reads the log, makes deliveries and carries them out.
 * Everything that it must know is stored, so another process goes on where it stopped.
 */
export interface WebhookEngine {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Webhooks or deliveries were changed by a request: look now instead of within seconds. */
  changed(): void;
  /** Makes one attempt now, in this process. */
  attemptNow(delivery: DeliveryDoc): Promise<void>;
}

/** How soon a change that was made in another process is seen. */
const RELOAD_INTERVAL_MS = 5_000;
const SAVE_INTERVAL_MS = 30_000;

export function createWebhookEngine(deps: WebhookEngineDeps): WebhookEngine {
  const { store, events, locks, clock, log, holder } = deps;
  const options: DeliveryOptions = { ...DEFAULT_DELIVERY_OPTIONS, ...deps.options };
  const attempt = createAttempt({ ...deps, options });
  const registry = createWebhookRegistry();
  const leadership = createLeadership({ locks, clock, log, key: 'lead:webhooks', holder, onGained: takeOver });
  const deliverer: Deliverer = createDeliverer({
    store,
    clock,
    log,
    attempt,
    options,
    mayDeliver: () => leadership.isLeader(),
  });
  const dispatcher = createDispatcher({ store, clock, registry, onDeliveries: (id) => deliverer.wake(id) });
  let unsubscribe: (() => void) | null = null;
  let running: Promise<void> | null = null;
  let again = false;
  let reloadAt = 0;
  let saveAt = 0;

  /** What another leader did since we led last is in the store only. */
  function takeOver(): void {
    registry.load([]);
    reloadAt = 0;
    look();
  }

  function look(): void {
    if (unsubscribe === null || !leadership.isLeader()) return;
    again = true;
    running ??= run().finally(() => {
      running = null;
      if (again) look();
    });
  }

  async function run(): Promise<void> {
    try {
      while (again && leadership.isLeader()) {
        again = false;
        if (clock.monotonic() >= reloadAt) {
          reloadAt = clock.monotonic() + RELOAD_INTERVAL_MS;
          await dispatcher.reload();
        }
        while (leadership.isLeader() && unsubscribe && (await dispatcher.round()));
        if (clock.monotonic() < saveAt) continue;
        saveAt = clock.monotonic() + SAVE_INTERVAL_MS;
        await dispatcher.saveCursors();
      }
    } catch (error) {
      // The next look (within a second) repeats it, from what is stored.
      again = false;
      reloadAt = 0;
      log.warn({ err: error }, 'events could not be turned into deliveries');
    }
  }

  return {
    async start() {
      unsubscribe = events.onCommit(look);
      await leadership.start();
    },

    async stop() {
      unsubscribe?.();
      unsubscribe = null;
      again = false;
      await running;
      await deliverer.stop();
      if (leadership.isLeader()) await dispatcher.saveCursors().catch(() => undefined);
      await leadership.stop();
    },

    changed() {
      reloadAt = 0;
      look();
    },

    async attemptNow(delivery) {
      await attempt(delivery);
    },
  };
}
