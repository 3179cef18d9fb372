import { useSignal } from '@preact/signals';
import type { Webhook } from '../../../lib/contracts/entities.ts';
import { post } from '../../api/client.ts';
import { notify } from '../../components/announcer.tsx';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { SelectField } from '../../components/field.tsx';
import { LoadMore } from '../../components/load-more.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { location, setQuery } from '../../routing/router.ts';
import { DeliveryItem } from './delivery-item.tsx';
import { useDeliveries } from './use-deliveries.ts';

const STATUSES = [
  { value: '', label: 'All deliveries' },
  { value: 'pending', label: 'Pending' },
  { value: 'succeeded', label: 'Delivered' },
  { value: 'failed', label: 'Failed' },
];

/** What was delivered, or not, newest first. */
export function DeliveryList({ webhook }: { webhook: Webhook }) {
  const asking = useSignal(false);
  const status = location.value.query.get('status') ?? '';
  return (
    <Card
      title="Deliveries"
      actions={
        <>
          <SelectField
            label="Show"
            bare
            value={status}
            onValue={(value) => setQuery({ status: value })}
            options={STATUSES}
          />
          <Button
            icon="retry"
            disabled={!webhook.enabled}
            onClick={() => {
              asking.value = true;
            }}
          >
            Redeliver all failed
          </Button>
        </>
      }
    >
      <Rows key={status} webhook={webhook} status={status} />
      {asking.value && (
        <RedeliverAll
          webhookId={webhook.webhookId}
          onClose={() => {
            asking.value = false;
          }}
        />
      )}
    </Card>
  );
}

function Rows({ webhook, status }: { webhook: Webhook; status: string }) {
  const deliveries = useDeliveries(webhook, status);
  return (
    <>
      <Loaded resource={deliveries} label="Loading deliveries">
        {(items) =>
          items.length === 0 ? (
            <Empty icon="webhook" title={status === '' ? 'No deliveries yet' : 'No such deliveries'}>
              {status === '' ? 'They appear here with the next event. Send a test to see one.' : null}
            </Empty>
          ) : (
            <ul class="deliveries" aria-label="Deliveries">
              {items.map((delivery) => (
                <DeliveryItem
                  key={delivery.deliveryId}
                  delivery={delivery}
                  canRedeliver={webhook.enabled}
                  onChange={() => void deliveries.reload()}
                />
              ))}
            </ul>
          )
        }
      </Loaded>
      <LoadMore pages={deliveries} />
    </>
  );
}

function RedeliverAll({ webhookId, onClose }: { webhookId: string; onClose: () => void }) {
  return (
    <ConfirmDialog
      title="Redeliver all failed deliveries?"
      confirm="Redeliver"
      harmless
      perform={async () => {
        const { redelivered } = await post<{ redelivered: number }>(`/webhook/${webhookId}/redeliver`);
        notify(redeliveredWords(redelivered));
        setQuery({ status: null });
      }}
      onDone={onClose}
      onClose={onClose}
    >
      <p>
        Every delivery of this webhook that failed is sent once more, with the same <code>webhook-id</code> and body. A
        receiver that did get one of them recognises it by that id.
      </p>
    </ConfirmDialog>
  );
}

function redeliveredWords(count: number): string {
  if (count === 0) return 'None had failed: nothing is delivered again.';
  return count === 1 ? 'One is delivered again.' : `${count} are delivered again.`;
}
