import { useSignal } from '@preact/signals';
import type { User } from '../../../lib/contracts/entities.ts';
import { usePages } from '../../api/use-pages.ts';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { LoadMore } from '../../components/load-more.tsx';
import { Page } from '../../components/page.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { Link } from '../../routing/link.tsx';
import { navigate } from '../../routing/router.ts';
import { UserDialog } from './user-dialog.tsx';

const COLUMNS: Column<User>[] = [
  {
    key: 'username',
    title: 'User',
    width: 'minmax(0, 2fr)',
    cell: ({ userId, username }) => (
      <div class="truncate">
        <Link class="row-link" href={`/users/${encodeURIComponent(userId)}`}>
          {username}
        </Link>
        <div class="truncate small muted mono">{userId}</div>
      </div>
    ),
  },
  { key: 'role', title: 'Role', width: '7rem', cell: ({ role }) => <RoleBadge role={role} /> },
  { key: 'email', title: 'Email', width: 'minmax(0, 2fr)', cell: ({ email }) => <div class="truncate">{email}</div> },
  { key: 'created', title: 'Created', width: '9rem', wideOnly: true, cell: ({ createdAt }) => <Time at={createdAt} /> },
];

/** The tenants. A user's keys are on the user's own page. */
export function UsersPage() {
  const users = usePages<User>('/user/list', { limit: 100 });
  const creating = useSignal(false);
  const newUser = (
    <Button kind="primary" icon="plus" onClick={() => (creating.value = true)}>
      New user
    </Button>
  );
  return (
    <Page
      title="Users and keys"
      lead="A user owns connections and webhooks; its API keys reach nothing else. Admins see everything."
      actions={newUser}
      curl={[
        { path: '/user/list' },
        { method: 'POST', path: '/user/create', body: { username: 'shop', email: 'shop@example.org' } },
      ]}
    >
      <Card flush>
        <Loaded resource={{ ...users, data: users.items }}>
          {(items) =>
            items.length === 0 ? (
              <Empty icon="users" title="No users yet" actions={newUser}>
                Make one for every program or person that shall have connections of its own.
              </Empty>
            ) : (
              <Table label="Users" columns={COLUMNS} rows={items} rowKey={({ userId }) => userId} />
            )
          }
        </Loaded>
      </Card>
      <LoadMore pages={users} />
      {creating.value && (
        <UserDialog
          user={null}
          onClose={() => (creating.value = false)}
          onSaved={({ userId }) => navigate(`/users/${encodeURIComponent(userId)}`)}
        />
      )}
    </Page>
  );
}

export function RoleBadge({ role }: { role: User['role'] }) {
  return <Badge tone={role === 'admin' ? 'info' : 'idle'}>{role === 'admin' ? 'Admin' : 'User'}</Badge>;
}
