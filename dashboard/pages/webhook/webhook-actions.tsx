import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Delivery, Webhook } from '../../../lib/contracts/entities.ts';
import { del, patch, post } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { notify } from '../../components/announcer.tsx';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Notice } from '../../components/notice.tsx';
import { navigate } from '../../routing/router.ts';
import { adviceForAttempt } from './delivery-state.ts';

interface WebhookActionsProps {
  webhook: Webhook;
  onChange: (webhook: Webhook) => void;
}

type Question = 'pause' | 'delete';

/** Test, pause or enable, delete, and what came of the test. */
export function WebhookActions({ webhook, onChange }: WebhookActionsProps) {
  const { webhookId, enabled } = webhook;
  const asking = useSignal<Question | null>(null);
  const tested = useSignal<Delivery | null>(null);
  const test = useAction(async () => {
    tested.value = null;
    tested.value = await post<Delivery>(`/webhook/${webhookId}/test`);
  });
  const enable = useAction(async () => {
    onChange(await patch<Webhook>(`/webhook/${webhookId}`, { enabled: true }));
    notify('The webhook is enabled; it delivers what happens from now on.');
  });
  // What came of a test says nothing about a webhook that was changed since.
  useEffect(() => {
    tested.value = null;
  }, [webhook.updatedAt]);
  return (
    <>
      <div class="row">
        <Button icon="send" busy={test.busy.value} onClick={() => void test.run()}>
          Send a test
        </Button>
        {enabled ? (
          <Button icon="pause" onClick={() => (asking.value = 'pause')}>
            Pause
          </Button>
        ) : (
          <Button icon="play" busy={enable.busy.value} onClick={() => void enable.run()}>
            Enable
          </Button>
        )}
        <Button kind="danger" icon="trash" onClick={() => (asking.value = 'delete')}>
          Delete
        </Button>
      </div>
      <ErrorNotice error={test.error.value} title="The test was not sent" />
      <ErrorNotice error={enable.error.value} title="The webhook was not enabled" />
      {tested.value && <TestResult delivery={tested.value} />}
      <Questions {...{ webhook, onChange, asking: asking.value }} onClose={() => (asking.value = null)} />
    </>
  );
}

function TestResult({ delivery }: { delivery: Delivery }) {
  const attempt = delivery.attempts.at(-1);
  const ok = delivery.status === 'succeeded';
  const answer = attempt?.statusCode ? `The receiver answered ${attempt.statusCode}` : 'No answer came';
  return (
    <Notice tone={ok ? 'ok' : 'bad'} title={ok ? 'The test arrived' : 'The test did not arrive'} urgent>
      {ok && attempt ? `${answer} after ${attempt.durationMs} ms.` : (attempt?.error ?? answer)}{' '}
      {attempt && adviceForAttempt(attempt)}
    </Notice>
  );
}

function Questions({
  webhook,
  onChange,
  asking,
  onClose,
}: WebhookActionsProps & { asking: Question | null; onClose: () => void }) {
  const { webhookId, url } = webhook;
  if (asking === 'pause') {
    return (
      <ConfirmDialog
        title="Pause this webhook?"
        confirm="Pause"
        perform={async () => onChange(await patch<Webhook>(`/webhook/${webhookId}`, { enabled: false }))}
        onDone={onClose}
        onClose={onClose}
      >
        <p>What waits to be delivered is given up, and what happens while it is paused is not delivered afterwards.</p>
        <p>The events stay in the log, where they can be read again.</p>
      </ConfirmDialog>
    );
  }
  if (asking !== 'delete') return null;
  return (
    <ConfirmDialog
      title="Delete this webhook?"
      confirm="Delete"
      perform={() => del(`/webhook/${webhookId}`)}
      onDone={() => {
        notify('The webhook was deleted.');
        navigate('/webhooks');
      }}
      onClose={onClose}
    >
      <p class="webhook-url">
        <strong>{url}</strong> gets nothing more. Its secret, its list of deliveries and what waits to be delivered are
        lost. Events and messages stay.
      </p>
    </ConfirmDialog>
  );
}
