import type { Connection, Page, Webhook } from '../../../lib/contracts/entities.ts';
import { del, get, post } from '../../api/client.ts';
import { dropConnection, nameOf, phoneNumber, putConnection } from '../../api/connections-store.ts';
import { useResource } from '../../api/use-resource.ts';
import { notify } from '../../components/announcer.tsx';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { navigate } from '../../routing/router.ts';

interface LossProps {
  connection: Connection;
  onClose: () => void;
}

function accountOf({ me }: Connection): string {
  return me?.pn ? `the account ${phoneNumber(me.pn)}` : 'its account';
}

export function LogoutDialog({ connection, onClose }: LossProps) {
  const name = nameOf(connection);
  return (
    <ConfirmDialog
      title={`Log ${name} out?`}
      confirm="Log out"
      cancel="Keep it"
      perform={async () => putConnection(await post<Connection>(`/connection/${connection.connectionId}/logout`))}
      onDone={() => {
        onClose();
        notify(`${name} is logged out.`);
      }}
      onClose={onClose}
    >
      <p>You lose:</p>
      <ul class="bullets">
        <li>the login: the phone of {accountOf(connection)} forgets this device, and it must be paired anew</li>
        <li>what arrives at the account until then</li>
      </ul>
      <p class="muted">Its messages, history and webhooks stay here.</p>
    </ConfirmDialog>
  );
}

const MAX_WEBHOOKS = 200;

export function DeleteDialog({ connection, onClose }: LossProps) {
  const name = nameOf(connection);
  const { connectionId } = connection;
  const webhooks = useResource((signal) => get<Page<Webhook>>('/webhook/list', { limit: MAX_WEBHOOKS }, signal), []);
  const own = webhooks.data.value?.items.filter((webhook) => webhook.connectionId === connectionId) ?? [];
  return (
    <ConfirmDialog
      title={`Delete ${name}?`}
      confirm={`Delete ${name}`}
      cancel="Keep it"
      perform={() => del(`/connection/${connectionId}`)}
      onDone={() => {
        dropConnection(connectionId);
        notify(`${name} is deleted.`);
        navigate('/connections', { replace: true });
      }}
      onClose={onClose}
    >
      <p>This cannot be undone. You lose:</p>
      <ul class="bullets">
        <li>
          {connection.me ? `the login of ${accountOf(connection)}: it must be paired anew` : 'the pairing under way'}
        </li>
        <li>all messages and chats that are stored here for it</li>
        <li>messages that are queued and not sent yet: they are cancelled</li>
        <li>its status history</li>
        {own.length > 0 && (
          <li>the use of {own.length === 1 ? 'one webhook' : `${own.length} webhooks`} made for it alone</li>
        )}
      </ul>
      <p class="muted">Chats on the phone stay as they are. Events stay in the log until their retention ends.</p>
    </ConfirmDialog>
  );
}
