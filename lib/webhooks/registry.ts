import type { EventDoc, WebhookDoc } from '../storage/collections.ts';

/** An enabled webhook as the dispatcher needs it. */
export interface RegisteredWebhook {
  readonly webhookId: string;
  readonly userId: string;
  readonly connectionId: string | null;
  readonly everyTenant: boolean;
  readonly all: boolean;
  readonly types: ReadonlySet<string>;
  readonly wakeUps: number;
  /** every event up to here was looked at; at or beyond the stored one, which follows */
  cursor: number;
}

export type EventRow = Pick<EventDoc, '_id' | 'type' | 'connectionId' | 'userId' | 'position'>;

/** The enabled webhooks of the whole system, by whom they listen to. */
export interface WebhookRegistry {
  /** Takes over what is stored. @returns the webhooks that are new here or were woken by a request. */
  load(docs: readonly WebhookDoc[]): string[];
  all(): Iterable<RegisteredWebhook>;
  /** null = there is no webhook */
  lowestCursor(): number | null;
  /** Which of these events go to which webhook, each in order. */
  match(events: readonly EventRow[]): Map<RegisteredWebhook, EventRow[]>;
}

export function createWebhookRegistry(): WebhookRegistry {
  let byId = new Map<string, RegisteredWebhook>();
  let byUser = new Map<string, RegisteredWebhook[]>();
  let ofEveryTenant: RegisteredWebhook[] = [];

  function load(docs: readonly WebhookDoc[]): string[] {
    const before = byId;
    byId = new Map(docs.map((doc) => [doc._id, register(doc, before.get(doc._id))]));
    ofEveryTenant = [...byId.values()].filter((webhook) => webhook.everyTenant);
    byUser = Map.groupBy(
      [...byId.values()].filter((webhook) => !webhook.everyTenant),
      (webhook) => webhook.userId,
    );
    return [...byId.values()]
      .filter((webhook) => before.get(webhook.webhookId)?.wakeUps !== webhook.wakeUps)
      .map((webhook) => webhook.webhookId);
  }

  function match(events: readonly EventRow[]): Map<RegisteredWebhook, EventRow[]> {
    const matched = new Map<RegisteredWebhook, EventRow[]>();
    for (const event of events) {
      for (const webhook of [...(byUser.get(event.userId) ?? []), ...ofEveryTenant]) {
        if (!wants(webhook, event)) continue;
        const list = matched.get(webhook);
        if (list) list.push(event);
        else matched.set(webhook, [event]);
      }
    }
    return matched;
  }

  return {
    load,
    match,
    all: () => byId.values(),
    lowestCursor() {
      let lowest: number | null = null;
      for (const { cursor } of byId.values()) if (lowest === null || cursor < lowest) lowest = cursor;
      return lowest;
    },
  };
}

function register(doc: WebhookDoc, known: RegisteredWebhook | undefined): RegisteredWebhook {
  return {
    webhookId: doc._id,
    userId: doc.userId,
    connectionId: doc.connectionId,
    everyTenant: doc.everyTenant,
    all: doc.eventTypes.includes('*'),
    types: new Set(doc.eventTypes),
    wakeUps: doc.wakeUps,
    cursor: Math.max(doc.cursor, known?.cursor ?? 0),
  };
}

/** Tests go to the one webhook that is tested, not through the log's dispatch. */
function wants(webhook: RegisteredWebhook, event: EventRow): boolean {
  return (
    event.position > webhook.cursor &&
    event.type !== 'webhook.test' &&
    (webhook.all || webhook.types.has(event.type)) &&
    (webhook.connectionId === null || webhook.connectionId === event.connectionId)
  );
}
