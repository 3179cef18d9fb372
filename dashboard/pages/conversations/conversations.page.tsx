import { useEffect } from 'preact/hooks';
import {
  connectionName,
  connections,
  connectionsError,
  loadConnections,
  reloadConnections,
} from '../../api/connections-store.ts';
import type { CurlCall } from '../../components/as-curl.tsx';
import { LinkButton } from '../../components/button.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { SelectField } from '../../components/field.tsx';
import { Page } from '../../components/page.tsx';
import { Empty, Loading } from '../../components/states.tsx';
import { statusWords } from '../../components/status-words.ts';
import { location, navigate } from '../../routing/router.ts';
import { chatHref } from './chat-address.ts';
import { Conversations } from './conversations.tsx';
import './conversations.css';

/** Chats of a connection and what is written in them: `/conversations?connection=con_...&chat=...`. */
export function ConversationsPage() {
  useEffect(() => void loadConnections(), []);
  const { query } = location.value;
  const connectionId = query.get('connection') ?? firstChoice();
  const chatId = query.get('chat');
  return (
    <Page
      title="Conversations"
      curl={curlOf(connectionId, chatId)}
      actions={connectionId !== null && <ConnectionPicker connectionId={connectionId} />}
    >
      {connectionId === null ? (
        <NoConnection />
      ) : (
        <Conversations key={connectionId} connectionId={connectionId} chatId={chatId} />
      )}
    </Page>
  );
}

/** The newest connection that is up, else the newest; null while there is none. */
function firstChoice(): string | null {
  const all = connections.value ?? [];
  return (all.find(({ status }) => status === 'open') ?? all[0])?.connectionId ?? null;
}

function NoConnection() {
  if (connectionsError.value) {
    return (
      <ErrorNotice
        error={connectionsError.value}
        title="The connections could not be loaded"
        onRetry={() => void reloadConnections()}
      />
    );
  }
  if (connections.value === null) return <Loading label="Loading connections" />;
  return (
    <Empty
      icon="link"
      title="No connection yet"
      actions={
        <LinkButton kind="primary" icon="plus" href="/connections/new">
          New connection
        </LinkButton>
      }
    >
      Conversations belong to a WhatsApp account. Connect one first.
    </Empty>
  );
}

function ConnectionPicker({ connectionId }: { connectionId: string }) {
  const options = (connections.value ?? []).map((connection) => ({
    value: connection.connectionId,
    label: `${connectionName(connection.connectionId)} (${statusWords(connection.status).label})`,
  }));
  const isListed = options.some(({ value }) => value === connectionId);
  return (
    <SelectField
      label="Connection"
      bare
      value={connectionId}
      onValue={(chosen) => navigate(chatHref(chosen, null))}
      options={isListed ? options : [{ value: connectionId, label: connectionId }, ...options]}
    />
  );
}

function curlOf(connectionId: string | null, chatId: string | null): CurlCall[] {
  const id = connectionId ?? 'con_...';
  return [
    { title: 'The chats', path: '/chat/list', query: { connectionId: id } },
    {
      title: 'The messages of a chat',
      path: '/message/list',
      query: { connectionId: id, chatId: chatId ?? '15551234567' },
    },
    {
      title: 'Send a message',
      method: 'POST',
      path: '/message/send',
      body: { connectionId: id, to: chatId ?? '15551234567', content: 'Hello' },
    },
    {
      title: 'Follow what arrives',
      path: '/event/stream',
      query: { connectionId: id, types: 'message.received,message.status' },
    },
  ];
}
