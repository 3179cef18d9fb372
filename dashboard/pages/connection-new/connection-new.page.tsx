import { useSignal } from '@preact/signals';
import type { Connection } from '../../../lib/contracts/entities.ts';
import { post } from '../../api/client.ts';
import { putConnection } from '../../api/connections-store.ts';
import { isAdmin } from '../../api/session.ts';
import { useAction } from '../../api/use-action.ts';
import { Button, LinkButton } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { RadioGroup, TextField } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { Page } from '../../components/page.tsx';
import { Link } from '../../routing/link.tsx';
import { navigate } from '../../routing/router.ts';
import { createBody, type Draft, EMPTY_DRAFT } from './connection-draft.ts';
import { ownerOf } from './owner.ts';
import { OwnerFields } from './owner-fields.tsx';

const METHODS = [
  { value: 'qr', label: 'Scan a QR code', hint: 'with the camera of the phone' },
  { value: 'code', label: 'Type a pairing code', hint: 'when the phone cannot see this screen' },
];

/** First step of the walk: name, owner, method. The connection's own page goes on with the code. */
export function ConnectionNewPage() {
  const draft = useSignal<Draft>(EMPTY_DRAFT);
  const change = (part: Partial<Draft>) => {
    draft.value = { ...draft.value, ...part };
  };
  const create = useAction(async () => {
    const userId = isAdmin() ? await ownerOf(draft.value, (made) => change({ owner: made })) : undefined;
    const connection = await post<Connection>('/connection/create', createBody(draft.value, userId));
    putConnection(connection);
    navigate(`/connections/${connection.connectionId}`, { replace: true });
  });
  const { name, method, phoneNumber } = draft.value;
  const shownOwner = isAdmin() ? draft.value.owner || 'USER_ID' : undefined;
  return (
    <Page
      title="New connection"
      lead="Links a WhatsApp account, as one of its linked devices. The phone stays the phone."
      back={<Link href="/connections">Connections</Link>}
      curl={[{ method: 'POST', path: '/connection/create', body: createBody(draft.value, shownOwner) }]}
    >
      <div class="form-width">
        <Card>
          <Form
            onSubmit={() => void create.run()}
            error={create.error.value}
            errorTitle="The connection was not created"
          >
            <TextField
              label="Name"
              maxLength={128}
              hint="For people: a shop, a team, a phone. It may stay empty."
              value={name}
              onValue={(value) => change({ name: value })}
            />
            {isAdmin() && <OwnerFields draft={draft.value} onChange={change} />}
            <RadioGroup
              legend="How to link it"
              name="method"
              options={METHODS}
              value={method}
              onValue={(value) => change({ method: value === 'code' ? 'code' : 'qr' })}
            />
            {method === 'code' && (
              <TextField
                label="Phone number of the account"
                type="tel"
                required
                placeholder="+1 555 123 4567"
                pattern="\+?[\d\s\(\)\-]{7,24}"
                hint="With the country code."
                value={phoneNumber}
                onValue={(value) => change({ phoneNumber: value })}
              />
            )}
            <div class="row">
              <Button kind="primary" type="submit" busy={create.busy.value}>
                {method === 'code' ? 'Create and get the code' : 'Create and show the QR code'}
              </Button>
              <LinkButton kind="quiet" href="/connections">
                Cancel
              </LinkButton>
            </div>
          </Form>
        </Card>
      </div>
    </Page>
  );
}
