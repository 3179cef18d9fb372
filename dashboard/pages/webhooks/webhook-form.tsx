import { type Signal, useSignal } from '@preact/signals';
import type { Webhook } from '../../../lib/contracts/entities.ts';
import { post } from '../../api/client.ts';
import { connectionName, connections } from '../../api/connections-store.ts';
import { isAdmin } from '../../api/session.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { Checkbox, RadioGroup, SelectField, TextAreaField, TextField } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { EventTypeChoice } from './event-type-choice.tsx';
import { bodyOf, EMPTY_FORM, problemsOf, type WebhookForm as Values } from './webhook-form-state.ts';

interface WebhookFormProps {
  onCreated: (webhook: Webhook) => void;
  onCancel: () => void;
}

/** What a new webhook needs: where to, what of, whose. */
export function WebhookForm({ onCreated, onCancel }: WebhookFormProps) {
  const form = useSignal<Values>(EMPTY_FORM);
  const asked = useSignal(false);
  const create = useAction(() => post<Webhook>('/webhook/create', bodyOf(form.value)));
  const problems = asked.value ? problemsOf(form.value) : {};
  const set = (fields: Partial<Values>) => {
    form.value = { ...form.value, ...fields };
  };

  async function submit(): Promise<void> {
    asked.value = true;
    if (Object.keys(problemsOf(form.value)).length > 0) return;
    const webhook = await create.run();
    if (webhook) onCreated(webhook);
  }

  return (
    <Form onSubmit={() => void submit()} error={create.error.value} errorTitle="The webhook was not created">
      <TextField
        label="URL"
        hint="Events are posted there, signed. It answers with a status from 200 to 299."
        type="url"
        required
        placeholder="https://example.org/hook"
        problem={problems.url}
        value={form.value.url}
        onValue={(url) => set({ url })}
        autofocus
      />
      <SelectField
        label="Events of"
        value={form.value.connectionId}
        onValue={(connectionId) => set({ connectionId })}
        options={[
          { value: '', label: isAdmin() ? 'All connections of all users' : 'All my connections' },
          ...(connections.value ?? []).map(({ connectionId }) => ({
            value: connectionId,
            label: connectionName(connectionId),
          })),
        ]}
      />
      <RadioGroup
        legend="Types"
        name="webhook-types"
        value={form.value.everything ? 'all' : 'some'}
        onValue={(value) => set({ everything: value === 'all' })}
        options={[
          { value: 'all', label: 'Everything', hint: 'also types that come later' },
          { value: 'some', label: 'Only some' },
        ]}
      />
      {!form.value.everything && (
        <EventTypeChoice
          legend="Which ones"
          chosen={form.value.eventTypes}
          onChosen={(eventTypes) => set({ eventTypes })}
          problem={problems.eventTypes}
        />
      )}
      <More form={form} problem={problems.headers} />
      <div class="dialog-foot">
        <Button onClick={onCancel}>Cancel</Button>
        <Button kind="primary" type="submit" busy={create.busy.value}>
          Create
        </Button>
      </div>
    </Form>
  );
}

function More({ form, problem }: { form: Signal<Values>; problem: string | undefined }) {
  const set = (fields: Partial<Values>) => {
    form.value = { ...form.value, ...fields };
  };
  return (
    <>
      <TextAreaField
        label="Headers of your own"
        hint="Optional; one a line, Name: value. Values are stored encrypted and never shown again."
        rows={2}
        spellcheck={false}
        problem={problem}
        value={form.value.headers}
        onValue={(headers) => set({ headers })}
      />
      <Checkbox label="Begin at once" checked={form.value.enabled} onChecked={(enabled) => set({ enabled })} />
    </>
  );
}
