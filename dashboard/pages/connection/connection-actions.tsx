import { useSignal } from '@preact/signals';
import type { Connection } from '../../../lib/contracts/entities.ts';
import { post } from '../../api/client.ts';
import { nameOf, putConnection } from '../../api/connections-store.ts';
import { useAction } from '../../api/use-action.ts';
import { notify } from '../../components/announcer.tsx';
import { Button, LinkButton } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { DeleteDialog, LogoutDialog } from './loss-dialogs.tsx';

type Verb = 'start' | 'stop' | 'restart';
const DONE: Record<Verb, string> = {
  start: 'It starts now.',
  stop: 'It stops now. The login is kept.',
  restart: 'It connects anew.',
};
/** Supposed to run, but nothing happens before somebody starts it again. */
const PARKED = new Set([
  'qr_expired',
  'needs_pairing',
  'logged_out',
  'conflict',
  'locked',
  'outdated',
  'banned',
  'quarantined',
  'failed',
]);

/** What can be done with a connection in the state it is in. */
export function ConnectionActions({ connection }: { connection: Connection }) {
  const asked = useSignal<'logout' | 'delete' | null>(null);
  const { connectionId, desiredState, status } = connection;
  const steer = useAction(async (verb: Verb) => {
    putConnection(await post<Connection>(`/connection/${connectionId}/${verb}`));
    notify(`${nameOf(connection)}: ${DONE[verb]}`);
  });
  const wanted = desiredState === 'running';
  const parked = PARKED.has(status);
  const close = () => {
    asked.value = null;
  };
  const button = (verb: Verb, label: string, icon: 'play' | 'stop' | 'retry', primary = false) => (
    <Button
      kind={primary ? 'primary' : 'plain'}
      icon={icon}
      busy={steer.busy.value}
      onClick={() => void steer.run(verb)}
    >
      {label}
    </Button>
  );
  return (
    <>
      {status === 'open' && (
        <LinkButton kind="primary" icon="chat" href={`/conversations?connection=${connectionId}`}>
          Conversations
        </LinkButton>
      )}
      {(!wanted || parked) && button('start', 'Start', 'play', true)}
      {wanted && !parked && button('restart', 'Restart', 'retry')}
      {wanted && !parked && button('stop', 'Stop', 'stop')}
      {connection.me && wanted && !parked && status !== 'awaiting_pairing' && (
        <Button icon="out" onClick={() => (asked.value = 'logout')}>
          Log out
        </Button>
      )}
      <Button kind="danger" icon="trash" onClick={() => (asked.value = 'delete')}>
        Delete
      </Button>
      {asked.value === 'logout' && <LogoutDialog connection={connection} onClose={close} />}
      {asked.value === 'delete' && <DeleteDialog connection={connection} onClose={close} />}
      {steer.error.value && (
        <Dialog title="That did not work" onClose={() => (steer.error.value = null)}>
          <ErrorNotice error={steer.error.value} />
        </Dialog>
      )}
    </>
  );
}
