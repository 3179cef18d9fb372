import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Webhook } from '../../../lib/contracts/entities.ts';
import { connectionName, loadConnections } from '../../api/connections-store.ts';
import { useEvents } from '../../api/use-events.ts';
import { usePages } from '../../api/use-pages.ts';
import type { CurlCall } from '../../components/as-curl.tsx';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { LoadMore } from '../../components/load-more.tsx';
import { Page } from '../../components/page.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { Link } from '../../routing/link.tsx';
import { NewWebhookDialog } from './new-webhook-dialog.tsx';
import { typesOf, WebhookBadge } from './webhook-badge.tsx';
import './webhooks.css';

const CURL: readonly CurlCall[] = [
  { title: 'List them', path: '/webhook/list' },
  {
    title: 'Create one',
    method: 'POST',
    path: '/webhook/create',
    body: { url: 'https://example.org/hook', eventTypes: ['message.received'] },
  },
];

const COLUMNS: readonly Column<Webhook>[] = [
  {
    key: 'url',
    title: 'URL',
    width: 'minmax(0, 3fr)',
    cell: (webhook) => (
      <Link class="row-link webhook-url" href={`/webhooks/${webhook.webhookId}`}>
        {webhook.url}
      </Link>
    ),
  },
  { key: 'status', title: 'State', width: '7rem', cell: (webhook) => <WebhookBadge webhook={webhook} /> },
  {
    key: 'types',
    title: 'Types',
    width: 'minmax(0, 2fr)',
    cell: (webhook) => <p class="small truncate">{typesOf(webhook)}</p>,
  },
  {
    key: 'of',
    title: 'Events of',
    width: 'minmax(0, 1fr)',
    wideOnly: true,
    cell: ({ connectionId }) => (
      <p class="small truncate">{connectionId ? connectionName(connectionId) : 'all connections'}</p>
    ),
  },
  { key: 'since', title: 'Since', width: '8rem', wideOnly: true, cell: ({ createdAt }) => <Time at={createdAt} /> },
];

export function WebhooksPage() {
  const webhooks = usePages<Webhook>('/webhook/list', { limit: 100 });
  const creating = useSignal(false);
  useEffect(() => void loadConnections(), []);
  useEvents(['webhook.disabled'], () => void webhooks.reload());
  const create = () => {
    creating.value = true;
  };
  return (
    <Page
      title="Webhooks"
      lead="Events, posted to your own servers as they happen: signed, tried again, and listed here."
      curl={CURL}
      actions={
        <Button kind="primary" icon="plus" onClick={create}>
          New webhook
        </Button>
      }
    >
      <Loaded resource={{ ...webhooks, data: webhooks.items }} label="Loading webhooks">
        {(items) =>
          items.length === 0 ? (
            <Empty icon="webhook" title="No webhook yet" actions={<Button onClick={create}>New webhook</Button>}>
              Give the address of your server, and it gets every message and status as it happens.
            </Empty>
          ) : (
            <Card flush>
              <Table label="Webhooks" columns={COLUMNS} rows={items} rowKey={({ webhookId }) => webhookId} />
            </Card>
          )
        }
      </Loaded>
      <LoadMore pages={webhooks} />
      {creating.value && (
        <NewWebhookDialog
          onCreated={() => void webhooks.reload()}
          onClose={() => {
            creating.value = false;
          }}
        />
      )}
    </Page>
  );
}
