import type { Service, ServiceBroker, ServiceSchema } from 'moleculer';
import { type EventsActions, eventsContract } from '../lib/contracts/events.contract.ts';
import { found, requireCaller, scopeFilter } from '../lib/contracts/scope.ts';
import { type WebhooksActions, webhooksContract } from '../lib/contracts/webhooks.contract.ts';
import { listEvents } from '../lib/events/list-events.ts';
import type { Runtime } from '../lib/runtime.ts';
import type { WebhookDoc } from '../lib/storage/collections.ts';
import { createDeliveries } from '../lib/webhooks/deliveries.ts';
import { createWebhookEngine } from '../lib/webhooks/engine.ts';
import { createGuardedFetch } from '../lib/webhooks/guarded-fetch.ts';
import { webhookView } from '../lib/webhooks/webhook-rows.ts';
import { createWebhooks } from '../lib/webhooks/webhooks.ts';
import { collectionMixin, entitiesOf } from '../mixins/collection.mixin.ts';
import { type CallContext, defineService } from '../mixins/define-service.ts';

/** A webhook or a delivery was changed: whoever delivers looks now. May get lost; it looks every few seconds anyway. */
const CHANGED = 'webhooks.changed';

/** Webhooks, their deliveries, and the event log that they are fed from. */
export default function webhooksService(runtime: Runtime): ServiceSchema {
  const { config, owner } = runtime;
  const rules = { allowPrivateTargets: config.allowPrivateTargets };
  const holder = `${owner.nodeId}:${owner.incarnation}`;
  const engine = createWebhookEngine({ ...runtime, holder, fetch: createGuardedFetch(rules) });
  const { attemptNow } = engine;
  let broker: ServiceBroker | null = null;

  function onChange(): void {
    engine.changed();
    broker?.broadcast(CHANGED).catch(() => undefined);
  }

  const webhooks = createWebhooks({ ...runtime, ...rules, onChange });
  const deliveries = createDeliveries({ ...runtime, attemptNow, onChange });

  const base = defineService<WebhooksActions & EventsActions>({
    name: 'webhooks',
    contract: { ...webhooksContract, ...eventsContract },
    mixins: [collectionMixin<WebhookDoc>(runtime.store, 'webhooks')],
    actions: {
      create: (params, ctx) => webhooks.create(callerOf(ctx), params, ctx.meta.idempotency?.reservedUlid),
      async list(page, ctx) {
        const options = { ...page, filter: { deletedAt: null } };
        const { items, next } = await rowsOf(ctx).listEntities(scopeFilter(callerOf(ctx)), options);
        return { items: items.map(webhookView), next };
      },
      async get({ webhookId }, ctx) {
        const row = await rowsOf(ctx).getEntity(scopeFilter(callerOf(ctx)), webhookId);
        return webhookView(found(row.deletedAt === null ? row : null));
      },
      update: ({ webhookId, ...change }, ctx) => webhooks.update(callerOf(ctx), webhookId, change),
      remove: ({ webhookId }, ctx) => webhooks.remove(callerOf(ctx), webhookId),
      test: ({ webhookId }, ctx) => deliveries.test(callerOf(ctx), webhookId),
      deliveries: ({ webhookId, ...options }, ctx) => deliveries.list(callerOf(ctx), webhookId, options),
      redeliver: ({ webhookId, deliveryId }, ctx) => deliveries.redeliver(callerOf(ctx), webhookId, deliveryId),
      redeliverMany: ({ webhookId, ...which }, ctx) => deliveries.redeliverMany(callerOf(ctx), webhookId, which),
      listEvents: (params, ctx) => listEvents(runtime, callerOf(ctx), params),
    },
    events: { [CHANGED]: () => engine.changed() },
    started: () => engine.start(),
    stopped: () => engine.stop(),
  });

  return {
    ...base,
    created(this: Service) {
      broker = this.broker;
    },
  };
}

const callerOf = (ctx: CallContext) => requireCaller(ctx.meta);

function rowsOf(ctx: CallContext) {
  return entitiesOf<WebhookDoc>(ctx.service as Service);
}
