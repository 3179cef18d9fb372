import { useEffect } from 'preact/hooks';
import type { Connection } from '../../../lib/contracts/entities.ts';
import { get } from '../../api/client.ts';
import { connectionOf, nameOf, putConnection } from '../../api/connections-store.ts';
import { useResource } from '../../api/use-resource.ts';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { Loaded } from '../../components/states.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { statusWords } from '../../components/status-words.ts';
import { Link } from '../../routing/link.tsx';
import type { PageArguments } from '../../routing/router.ts';
import { ConnectionActions } from './connection-actions.tsx';
import { connectionCalls } from './connection-calls.ts';
import { ConnectionFacts } from './connection-facts.tsx';
import { History } from './history.tsx';
import { PairingPanel } from './pairing-panel.tsx';
import { useStatusAnnouncement } from './use-status-announcement.ts';
import { waitsForPhone } from './waits-for-phone.ts';

/** One connection: how it is, why, what can be done, and how it came to that. */
export function ConnectionPage({ params }: PageArguments) {
  const connectionId = params.connectionId ?? '';
  const fetched = useResource<Connection>((signal) => get(`/connection/${connectionId}`, {}, signal), [connectionId]);
  const answer = fetched.data.value;
  useEffect(() => {
    if (answer) putConnection(answer);
  }, [answer]);
  /* the store's row is the newer one: events change it */
  const connection = connectionOf(connectionId) ?? answer;
  /* 400: what stands in the address is no id at all */
  const gone = [400, 404].includes(fetched.error.value?.status ?? 0);
  return (
    <Page
      title={connection ? nameOf(connection) : 'Connection'}
      mark={connection && !gone ? <StatusBadge status={connection.status} /> : null}
      back={<Link href="/connections">Connections</Link>}
      actions={connection && !gone ? <ConnectionActions connection={connection} /> : null}
      curl={connectionCalls(connectionId)}
    >
      {gone ? (
        <Notice tone="warn" title="It is not here" urgent>
          There is no such connection, it was deleted, or it belongs to somebody else.
        </Notice>
      ) : (
        <Loaded resource={fetched}>{(first) => <Details connection={connection ?? first} />}</Loaded>
      )}
    </Page>
  );
}

function Details({ connection }: { connection: Connection }) {
  useStatusAnnouncement(connection);
  return (
    <>
      <PairingPanel connection={connection} />
      <StatusNotice connection={connection} />
      <div class="columns">
        <History connectionId={connection.connectionId} />
        <ConnectionFacts connection={connection} />
      </div>
    </>
  );
}

/** Why it is as it is, and what a person can do. While it is being paired the panel above says it. */
function StatusNotice({ connection }: { connection: Connection }) {
  const { status, statusReason, degraded, restrictions } = connection;
  const { label, tone, meaning, advice } = statusWords(status);
  return (
    <>
      {status !== 'open' && !waitsForPhone(connection) && (
        <Notice tone={tone} title={label}>
          <p>{statusReason ?? meaning}</p>
          {statusReason && <p class="small muted">{meaning}</p>}
          {advice && <p>{advice}</p>}
        </Notice>
      )}
      {degraded && (
        <Notice tone="warn" title="Breaks often">
          WhatsApp ended its stream several times within ten minutes. It still comes back by itself.
        </Notice>
      )}
      {restrictions.includes('new_chats') && (
        <Notice tone="warn" title="No new chats at the moment">
          WhatsApp does not let this account write to people it has not written with before. Known chats go on; messages
          to new ones wait.
        </Notice>
      )}
    </>
  );
}
