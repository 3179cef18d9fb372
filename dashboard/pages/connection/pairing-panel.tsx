import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Connection, RemoteAuth } from '../../../lib/contracts/entities.ts';
import { get, post } from '../../api/client.ts';
import { phoneNumber, putConnection } from '../../api/connections-store.ts';
import { useAction } from '../../api/use-action.ts';
import { useEvents } from '../../api/use-events.ts';
import { useResource } from '../../api/use-resource.ts';
import { Button, LinkButton } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Notice } from '../../components/notice.tsx';
import { Loaded, Loading } from '../../components/states.tsx';
import { CodePairing } from './code-pairing.tsx';
import { QrPairing } from './qr-pairing.tsx';
import { waitsForPhone } from './waits-for-phone.ts';
import './pairing.css';

/**
 * The way to a login: shows the code, follows it as it changes, and says so when the phone took it. It appears by itself
 * whenever the connection needs a phone, and turns into "connected" by itself.
 */
export function PairingPanel({ connection }: { connection: Connection }) {
  const begun = useSignal(false);
  const { status } = connection;
  const waits = waitsForPhone(connection);
  useEffect(() => {
    if (waits) begun.value = true;
  }, [waits]);

  if (status === 'open') return begun.value ? <Connected connection={connection} /> : null;
  if (waits) return <Pairing connection={connection} />;
  if (begun.value && (status === 'connecting' || status === 'reconnecting')) return <Finishing />;
  return null;
}

function Pairing({ connection }: { connection: Connection }) {
  const { connectionId, status } = connection;
  const auth = useResource<RemoteAuth>(
    (signal) => get(`/connection/${connectionId}/auth`, {}, signal),
    [connectionId, status],
  );
  useEvents(['auth.qr', 'auth.pairing_code', 'auth.succeeded'], ({ event }) => {
    if (event.connectionId === connectionId) auth.data.value = event.data.auth as RemoteAuth;
  });
  return (
    <Card title="Link the phone">
      {status === 'qr_expired' ? (
        <Expired connectionId={connectionId} />
      ) : (
        <Loaded resource={auth} label="Asking WhatsApp for a code">
          {(current) => <Step auth={current} connectionId={connectionId} />}
        </Loaded>
      )}
    </Card>
  );
}

function Step({ auth, connectionId }: { auth: RemoteAuth; connectionId: string }) {
  if (auth.authState === 'succeeded') return <Finishing />;
  if (auth.authState === 'ready' && auth.qr) return <QrPairing auth={auth} />;
  if (auth.authState === 'ready' && auth.pairingCode) return <CodePairing auth={auth} />;
  if (auth.authState === 'failed') return <Expired connectionId={connectionId} failed />;
  return (
    <>
      <p class="muted">Asking WhatsApp for a code. This takes a few seconds.</p>
      <Loading label="Asking WhatsApp for a code" />
    </>
  );
}

function Finishing() {
  return (
    <Notice tone="info" title="The phone took the code" urgent>
      WhatsApp is setting the new device up; this takes some seconds.
    </Notice>
  );
}

function Expired({ connectionId, failed = false }: { connectionId: string; failed?: boolean }) {
  const again = useAction(async () => putConnection(await post<Connection>(`/connection/${connectionId}/start`)));
  return (
    <div class="stack">
      <Notice
        tone="warn"
        title={failed ? 'WhatsApp refused the pairing' : 'The code expired'}
        actions={
          <Button kind="primary" icon="retry" busy={again.busy.value} onClick={() => void again.run()}>
            Get a new code
          </Button>
        }
      >
        {failed ? 'Try again; if it stays like this, look at the history below.' : 'Nobody paired it in time.'}
      </Notice>
      <ErrorNotice error={again.error.value} />
    </div>
  );
}

function Connected({ connection }: { connection: Connection }) {
  return (
    <Notice
      tone="ok"
      urgent
      title={connection.me?.pn ? `Connected as ${phoneNumber(connection.me.pn)}` : 'Connected'}
      actions={
        <LinkButton kind="primary" icon="send" href={`/conversations?connection=${connection.connectionId}`}>
          Send a message
        </LinkButton>
      }
    >
      It stays connected by itself from now on, also over restarts.
    </Notice>
  );
}
