import type { Service, ServiceSchema } from 'moleculer';
import { createLeadership } from '../lib/cluster/leadership.ts';
import type { Runtime } from '../lib/runtime.ts';
import { createDueSends } from '../lib/scheduler/due-sends.ts';
import { DEFAULT_RETENTION, prune } from '../lib/scheduler/retention.ts';
import { createScheduler, type ScheduledTask } from '../lib/scheduler/scheduler.ts';
import { sweepWebhooks } from '../lib/webhooks/cleanup.ts';
import { createOwnerRouting } from '../mixins/owner-routing.mixin.ts';

const DUE_SENDS_EVERY_MS = 1_000;
const SWEEP_EVERY_MS = 60_000;
const PRUNE_EVERY_MS = 5 * 60_000;

/** Work that belongs to no request. It runs everywhere and is led by a lock: one process at a time does it. */
export default function schedulerService(runtime: Runtime): ServiceSchema {
  const { store, clock, locks, log, owner } = runtime;
  const holder = `${owner.nodeId}:${owner.incarnation}`;
  const leadership = createLeadership({ locks, clock, log, key: 'lead:scheduler', holder });
  const { wakeOutbox } = createOwnerRouting(runtime);
  let wake: (connectionId: string) => void;
  const dueSends = createDueSends({ store, clock, wake: (connectionId) => wake(connectionId) });

  const tasks: ScheduledTask[] = [
    { name: 'wake due sends', everyMs: DUE_SENDS_EVERY_MS, run: dueSends },
    { name: 'sweep webhooks', everyMs: SWEEP_EVERY_MS, run: () => sweepWebhooks(store, clock) },
    {
      name: 'prune',
      everyMs: PRUNE_EVERY_MS,
      async run(signal) {
        const pruned = await prune({ store, clock, retention: DEFAULT_RETENTION }, signal);
        if (Object.keys(pruned).length > 0) log.info({ pruned }, 'rows past their retention were deleted');
      },
    },
  ];
  const scheduler = createScheduler({ clock, log, tasks, isLeader: leadership.isLeader });

  return {
    name: 'scheduler',
    created(this: Service) {
      wake = (connectionId) => wakeOutbox(this.broker, connectionId);
    },
    async started() {
      await leadership.start();
      scheduler.start();
    },
    async stopped() {
      await scheduler.stop();
      await leadership.stop();
    },
  } as ServiceSchema;
}
