import { useEffect } from 'preact/hooks';
import type { Connection } from '../../../lib/contracts/entities.ts';
import { connections, connectionsError, loadConnections, reloadConnections } from '../../api/connections-store.ts';
import { isAdmin } from '../../api/session.ts';
import { LinkButton } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { Page } from '../../components/page.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { Table } from '../../components/table.tsx';
import { location } from '../../routing/router.ts';
import { FirstRunPage } from '../first-run/first-run.page.tsx';
import { connectionColumns } from './connection-columns.tsx';
import { ConnectionFilters } from './connection-filters.tsx';
import { attentionCount, filterConnections } from './connection-search.ts';

/** All connections, live. An empty system shows what to do first instead. */
export function ConnectionsPage() {
  useEffect(() => void loadConnections(), []);
  const all = connections.value;
  if (all?.length === 0) return <FirstRunPage params={{}} />;
  return (
    <Page
      title="Connections"
      lead={all ? summary(all) : 'Every WhatsApp account that is linked here.'}
      actions={
        <>
          <LinkButton kind="quiet" href="/first-run">
            First steps
          </LinkButton>
          <LinkButton kind="primary" icon="plus" href="/connections/new">
            New connection
          </LinkButton>
        </>
      }
      curl={[{ path: '/connection/list', query: { limit: 200 } }]}
    >
      <Loaded resource={{ data: connections, error: connectionsError, reload: reloadConnections }}>
        {(rows) => <Found rows={rows} />}
      </Loaded>
    </Page>
  );
}

function Found({ rows }: { rows: Connection[] }) {
  const { query } = location.value;
  const found = filterConnections(rows, query.get('q') ?? '', query.get('status') ?? '');
  return (
    <div class="stack">
      <ConnectionFilters found={found.length} of={rows.length} />
      <Card flush>
        {found.length > 0 ? (
          <Table
            label="Connections"
            columns={connectionColumns(isAdmin())}
            rows={found}
            rowKey={({ connectionId }) => connectionId}
            windowed
          />
        ) : (
          <Empty icon="search" title="None fits" actions={<LinkButton href="/connections">Show all</LinkButton>}>
            No connection has this name, number or id in this status.
          </Empty>
        )}
      </Card>
    </div>
  );
}

function summary(all: Connection[]): string {
  const open = all.filter(({ status }) => status === 'open').length;
  const attention = attentionCount(all);
  const rest =
    attention === 0 ? 'none needs attention' : `${attention} ${attention === 1 ? 'needs' : 'need'} attention`;
  return `${open.toLocaleString('en')} of ${all.length.toLocaleString('en')} connected, ${rest}.`;
}
