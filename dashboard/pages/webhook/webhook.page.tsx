import { useEffect } from 'preact/hooks';
import type { Webhook } from '../../../lib/contracts/entities.ts';
import { get } from '../../api/client.ts';
import { connectionName, loadConnections } from '../../api/connections-store.ts';
import { useEvents } from '../../api/use-events.ts';
import { useResource } from '../../api/use-resource.ts';
import type { CurlCall } from '../../components/as-curl.tsx';
import { Card } from '../../components/card.tsx';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { Loaded } from '../../components/states.tsx';
import { Time } from '../../components/time.tsx';
import { Link } from '../../routing/link.tsx';
import type { PageArguments } from '../../routing/router.ts';
import { typesOf, WebhookBadge } from '../webhooks/webhook-badge.tsx';
import { DeliveryList } from './delivery-list.tsx';
import { WebhookActions } from './webhook-actions.tsx';
import './webhook.css';

/** One webhook and its deliveries. */
export function WebhookPage({ params }: PageArguments) {
  const webhookId = params.webhookId ?? '';
  const resource = useResource((signal) => get<Webhook>(`/webhook/${webhookId}`, {}, signal), [webhookId]);
  useEffect(() => void loadConnections(), []);
  useEvents(['webhook.disabled'], ({ event }) => {
    if (event.data.webhookId === webhookId) void resource.reload();
  });
  const known = resource.data.value;
  return (
    <Page
      title="Webhook"
      lead={known && <span class="webhook-url">{known.url}</span>}
      mark={known && <WebhookBadge webhook={known} />}
      back={<Link href="/webhooks">All webhooks</Link>}
      curl={curlOf(webhookId)}
    >
      <Loaded resource={resource} label="Loading the webhook">
        {(webhook) => (
          <>
            {webhook.disabledReason && (
              <Notice tone="bad" title="Castellan turned this webhook off">
                {webhook.disabledReason} Enable it again when the receiver is back.
              </Notice>
            )}
            <WebhookActions
              webhook={webhook}
              onChange={(changed) => {
                resource.data.value = changed;
              }}
            />
            <Facts webhook={webhook} />
            <DeliveryList webhook={webhook} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Facts({ webhook }: { webhook: Webhook }) {
  const { webhookId, connectionId, headers, createdAt } = webhook;
  return (
    <Card>
      <dl class="facts">
        <div>
          <dt>Types</dt>
          <dd>{typesOf(webhook)}</dd>
        </div>
        <div>
          <dt>Events of</dt>
          <dd>
            {connectionId ? (
              <Link href={`/connections/${connectionId}`}>{connectionName(connectionId)}</Link>
            ) : (
              'all connections'
            )}
          </dd>
        </div>
        <div>
          <dt>Headers of your own</dt>
          <dd>{headers.length === 0 ? 'none' : headers.join(', ')}</dd>
        </div>
        <div>
          <dt>Created</dt>
          <dd>
            <Time at={createdAt} />
          </dd>
        </div>
        <div>
          <dt>Id</dt>
          <dd>
            <code class="webhook-url">{webhookId}</code>
          </dd>
        </div>
      </dl>
    </Card>
  );
}

function curlOf(webhookId: string): CurlCall[] {
  const path = `/webhook/${webhookId}`;
  return [
    { title: 'The webhook', path },
    { title: 'Its deliveries that failed', path: `${path}/deliveries`, query: { status: 'failed' } },
    { title: 'Send a test', method: 'POST', path: `${path}/test` },
    { title: 'Pause it', method: 'PATCH', path, body: { enabled: false } },
    { title: 'Redeliver all that failed', method: 'POST', path: `${path}/redeliver`, body: {} },
    { title: 'Delete it', method: 'DELETE', path },
  ];
}
