import { useSignal } from '@preact/signals';
import type { ApiKey, User } from '../../../lib/contracts/entities.ts';
import { del } from '../../api/client.ts';
import { usePages } from '../../api/use-pages.ts';
import { notify } from '../../components/announcer.tsx';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { LoadMore } from '../../components/load-more.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { NewKeyDialog } from './new-key-dialog.tsx';

/** The keys of a user, without the keys themselves: those are shown once. */
export function KeyList({ user }: { user: User }) {
  const base = `/user/${encodeURIComponent(user.userId)}/key`;
  const keys = usePages<ApiKey>(`${base}/list`, { limit: 100 });
  const creating = useSignal(false);
  const revoking = useSignal<ApiKey | null>(null);
  const close = () => {
    revoking.value = null;
  };
  const newKey = (
    <Button kind="primary" icon="plus" onClick={() => (creating.value = true)}>
      New key
    </Button>
  );
  return (
    <Card title="API keys" actions={newKey}>
      <Loaded resource={{ ...keys, data: keys.items }}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon="key" title="No keys yet">
              Without a key {user.username} cannot call the API or sign in here.
            </Empty>
          ) : (
            <Table
              label="API keys"
              columns={keyColumns((key) => (revoking.value = key))}
              rows={items}
              rowKey={({ keyId }) => keyId}
            />
          )
        }
      </Loaded>
      <LoadMore pages={keys} />
      {creating.value && (
        <NewKeyDialog user={user} onMade={() => void keys.reload()} onClose={() => (creating.value = false)} />
      )}
      {revoking.value && (
        <ConfirmDialog
          title={`Revoke ${keyName(revoking.value)}?`}
          confirm="Revoke"
          cancel="Keep it"
          perform={() => del(`${base}/${revoking.value?.keyId}`)}
          onClose={close}
          onDone={() => {
            close();
            notify('The key is revoked.');
            void keys.reload();
          }}
        >
          <p>This cannot be undone. You lose:</p>
          <ul class="bullets">
            <li>every program that uses this key: it gets 401 within 5 seconds</li>
            <li>every sign-in on this page that was made with it</li>
          </ul>
        </ConfirmDialog>
      )}
    </Card>
  );
}

function keyName({ name, keyId }: ApiKey): string {
  return name ?? keyId;
}

function keyColumns(revoke: (key: ApiKey) => void): Column<ApiKey>[] {
  return [
    {
      key: 'name',
      title: 'Key',
      width: 'minmax(0, 2fr)',
      cell: (key) => (
        <>
          <div class="truncate">{key.name ?? <span class="muted">without a name</span>}</div>
          <div class="truncate small muted mono">{key.keyId}</div>
        </>
      ),
    },
    {
      key: 'state',
      title: 'State',
      width: '8rem',
      cell: ({ revokedAt }) => <Badge tone={revokedAt ? 'bad' : 'ok'}>{revokedAt ? 'Revoked' : 'Valid'}</Badge>,
    },
    {
      key: 'created',
      title: 'Created',
      width: '9rem',
      wideOnly: true,
      cell: ({ createdAt }) => <Time at={createdAt} />,
    },
    {
      key: 'revoke',
      title: 'Action',
      width: '6rem',
      end: true,
      cell: (key) =>
        key.revokedAt === null && (
          <Button kind="danger" small onClick={() => revoke(key)}>
            Revoke
            <span class="sr-only"> {keyName(key)}</span>
          </Button>
        ),
    },
  ];
}
