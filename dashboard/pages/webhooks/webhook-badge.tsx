import type { Webhook } from '../../../lib/contracts/entities.ts';
import { Badge } from '../../components/badge.tsx';

/** Whether a webhook delivers, and if not, who turned it off. */
export function WebhookBadge({ webhook }: { webhook: Webhook }) {
  if (webhook.enabled) return <Badge tone="ok">Enabled</Badge>;
  return webhook.disabledReason ? <Badge tone="bad">Turned off</Badge> : <Badge>Paused</Badge>;
}

/** The types that it wants, in a line. */
export function typesOf({ eventTypes }: Webhook): string {
  return eventTypes.includes('*') ? 'everything' : eventTypes.join(', ');
}
