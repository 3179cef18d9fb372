import { useSignal } from '@preact/signals';
import type { User } from '../../../lib/contracts/entities.ts';
import { del, get } from '../../api/client.ts';
import { useResource } from '../../api/use-resource.ts';
import { notify } from '../../components/announcer.tsx';
import { Button, LinkButton } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Page } from '../../components/page.tsx';
import { Loaded } from '../../components/states.tsx';
import { Time } from '../../components/time.tsx';
import { Link } from '../../routing/link.tsx';
import type { PageArguments } from '../../routing/router.ts';
import { navigate } from '../../routing/router.ts';
import { UserDialog } from '../users/user-dialog.tsx';
import { RoleBadge } from '../users/users.page.tsx';
import { KeyList } from './key-list.tsx';

/** One user and its API keys. */
export function UserPage({ params }: PageArguments) {
  const userId = params.userId ?? '';
  const base = `/user/${encodeURIComponent(userId)}`;
  const user = useResource<User>((signal) => get(base, {}, signal), [userId]);
  const known = user.data.value;
  return (
    <Page
      title={known?.username ?? 'User'}
      mark={known && <RoleBadge role={known.role} />}
      back={<Link href="/users">Users and keys</Link>}
      actions={known && <UserActions user={known} onSaved={(saved) => (user.data.value = saved)} />}
      curl={[
        { path: base },
        {
          title: 'A new key, shown in this answer only',
          method: 'POST',
          path: `${base}/key/create`,
          body: { name: 'laptop' },
        },
        { title: 'Revoke one', method: 'DELETE', path: `${base}/key/KEY_ID` },
      ]}
    >
      <Loaded resource={user}>
        {(found) => (
          <>
            <KeyList user={found} />
            <Facts user={found} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Facts({ user }: { user: User }) {
  return (
    <Card title="Facts">
      <dl class="facts">
        <div>
          <dt>Email</dt>
          <dd>{user.email}</dd>
        </div>
        <div>
          <dt>Created</dt>
          <dd>
            <Time at={user.createdAt} absolute />
          </dd>
        </div>
        <div>
          <dt>Id</dt>
          <dd class="row">
            <code>{user.userId}</code>
            <CopyButton text={user.userId} label="Copy the id" />
          </dd>
        </div>
      </dl>
    </Card>
  );
}

function UserActions({ user, onSaved }: { user: User; onSaved: (user: User) => void }) {
  const open = useSignal<'change' | 'delete' | null>(null);
  const close = () => {
    open.value = null;
  };
  return (
    <>
      <LinkButton icon="link" href={`/connections?q=${encodeURIComponent(user.userId)}`}>
        Connections
      </LinkButton>
      <Button onClick={() => (open.value = 'change')}>Change</Button>
      <Button kind="danger" icon="trash" onClick={() => (open.value = 'delete')}>
        Delete
      </Button>
      {open.value === 'change' && (
        <UserDialog
          user={user}
          onClose={close}
          onSaved={(saved) => {
            close();
            onSaved(saved);
            notify(`${saved.username} is changed.`);
          }}
        />
      )}
      {open.value === 'delete' && (
        <ConfirmDialog
          title={`Delete ${user.username}?`}
          confirm={`Delete ${user.username}`}
          cancel="Keep it"
          perform={() => del(`/user/${encodeURIComponent(user.userId)}`)}
          onClose={close}
          onDone={() => {
            notify(`${user.username} is deleted.`);
            navigate('/users', { replace: true });
          }}
        >
          <p>This cannot be undone. You lose:</p>
          <ul class="bullets">
            <li>the user {user.username}</li>
            <li>all of its API keys: whoever uses one is locked out within 5 seconds</li>
          </ul>
          <p class="muted">A user that still has connections cannot be deleted; delete those first.</p>
        </ConfirmDialog>
      )}
    </>
  );
}
