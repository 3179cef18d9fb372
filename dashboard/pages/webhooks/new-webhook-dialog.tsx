import { useSignal } from '@preact/signals';
import type { Webhook } from '../../../lib/contracts/entities.ts';
import { Button, LinkButton } from '../../components/button.tsx';
import { CodeLine } from '../../components/code-line.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Notice } from '../../components/notice.tsx';
import { WebhookForm } from './webhook-form.tsx';

interface NewWebhookDialogProps {
  onCreated: (webhook: Webhook) => void;
  onClose: () => void;
}

/** Asks for a new webhook, then shows its secret: the only time. */
export function NewWebhookDialog({ onCreated, onClose }: NewWebhookDialogProps) {
  const created = useSignal<Webhook | null>(null);
  if (created.value === null) {
    return (
      <Dialog title="New webhook" onClose={onClose}>
        <WebhookForm
          onCancel={onClose}
          onCreated={(webhook) => {
            created.value = webhook;
            onCreated(webhook);
          }}
        />
      </Dialog>
    );
  }
  // A stray press beside the dialog must not take away what cannot be shown again.
  return (
    <Dialog key="secret" title="The webhook’s secret" onClose={onClose} stays>
      <Notice tone="warn" title="Copy it now: it is not shown again" urgent>
        Your receiver verifies with it that a request comes from Castellan and is new (Standard Webhooks: the headers{' '}
        <code>webhook-id</code>, <code>webhook-timestamp</code> and <code>webhook-signature</code>).
      </Notice>
      <CodeLine code={created.value.secret ?? ''} label="Copy the secret" />
      <div class="dialog-foot">
        <LinkButton href={`/webhooks/${created.value.webhookId}`}>To the webhook</LinkButton>
        <Button kind="primary" onClick={onClose}>
          I have copied it
        </Button>
      </div>
    </Dialog>
  );
}
