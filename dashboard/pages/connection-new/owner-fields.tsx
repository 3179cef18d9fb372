import { useEffect } from 'preact/hooks';
import type { User } from '../../../lib/contracts/entities.ts';
import { usePages } from '../../api/use-pages.ts';
import { SelectField, TextField } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { Loaded } from '../../components/states.tsx';
import { type Draft, NEW_OWNER } from './connection-draft.ts';

interface OwnerFieldsProps {
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
}

/** A connection belongs to a user, and an admin says to which. Where there is none yet, one is made on the way. */
export function OwnerFields({ draft, onChange }: OwnerFieldsProps) {
  const users = usePages<User>('/user/list', { limit: 200 });
  const known = users.items.value;
  useEffect(() => {
    if (known !== null && draft.owner === '') onChange({ owner: known[0]?.userId ?? NEW_OWNER });
  }, [known]);
  return (
    <Loaded resource={{ ...users, data: users.items }}>
      {(items) => (
        <>
          {items.length === 0 && (
            <Notice title="There are no users yet">
              A connection belongs to a user. One is made together with it.
            </Notice>
          )}
          {users.hasMore.value ? (
            <TextField
              label="Owner"
              required
              hint="The id of a user."
              value={draft.owner}
              onValue={(owner) => onChange({ owner })}
            />
          ) : (
            items.length > 0 && (
              <SelectField
                label="Owner"
                hint="Whose connection it is: only this user's keys and admins see it."
                options={[
                  ...items.map(({ userId, username }) => ({ value: userId, label: `${username} (${userId})` })),
                  { value: NEW_OWNER, label: 'A new user' },
                ]}
                value={draft.owner}
                onValue={(owner) => onChange({ owner })}
              />
            )
          )}
          {draft.owner === NEW_OWNER && <NewOwner draft={draft} onChange={onChange} />}
        </>
      )}
    </Loaded>
  );
}

function NewOwner({ draft, onChange }: OwnerFieldsProps) {
  return (
    <>
      <TextField
        label="User name"
        required
        maxLength={64}
        autocomplete="off"
        value={draft.username}
        onValue={(username) => onChange({ username })}
      />
      <TextField
        label="Email"
        type="email"
        required
        maxLength={254}
        autocomplete="off"
        hint="To tell people apart; nothing is sent there."
        value={draft.email}
        onValue={(email) => onChange({ email })}
      />
    </>
  );
}
