import type { NodeInfo, WorkerInfo } from '../../../lib/contracts/session-node.contract.ts';
import { connectionName, connectionOf } from '../../api/connections-store.ts';
import { Card } from '../../components/card.tsx';
import { SelectField } from '../../components/field.tsx';
import { LoadMore } from '../../components/load-more.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { Link } from '../../routing/link.tsx';
import { location, setQuery } from '../../routing/router.ts';
import { useWorkers } from './use-placement.ts';

const COLUMNS: readonly Column<WorkerInfo>[] = [
  {
    key: 'connection',
    title: 'Connection',
    width: 'minmax(0, 2fr)',
    cell: ({ connectionId }) => (
      <Link class="row-link truncate worker-connection" href={`/connections/${connectionId}`}>
        <bdi>{connectionName(connectionId)}</bdi>
      </Link>
    ),
  },
  {
    key: 'status',
    title: 'Status',
    /* "Waiting for the phone" fits */
    width: '11rem',
    cell: ({ connectionId }) => {
      const connection = connectionOf(connectionId);
      return connection ? <StatusBadge status={connection.status} /> : null;
    },
  },
  {
    key: 'node',
    title: 'Node',
    width: 'minmax(0, 1fr)',
    cell: ({ nodeId, epoch }) => (
      <>
        <code class="truncate worker-node">{nodeId}</code>
        <div class="truncate small muted">epoch {epoch}</div>
      </>
    ),
  },
  {
    key: 'since',
    title: 'There since',
    width: '8rem',
    wideOnly: true,
    cell: ({ startedAt }) => <Time at={startedAt} />,
  },
];

/** Which connection lives where. */
export function WorkerList({ nodes }: { nodes: readonly NodeInfo[] }) {
  const nodeId = location.value.query.get('node') ?? '';
  const options = nodes.map((node) => ({ value: node.nodeId, label: node.nodeId }));
  const isListed = nodeId === '' || nodes.some((node) => node.nodeId === nodeId);
  return (
    <Card
      flush
      title="Which connection lives where"
      actions={
        <SelectField
          label="Node"
          bare
          value={nodeId}
          onValue={(value) => setQuery({ node: value })}
          options={[
            { value: '', label: 'All nodes' },
            ...options,
            ...(isListed ? [] : [{ value: nodeId, label: `${nodeId} (gone)` }]),
          ]}
        />
      }
    >
      <Rows key={nodeId} nodeId={nodeId} />
    </Card>
  );
}

function Rows({ nodeId }: { nodeId: string }) {
  const workers = useWorkers(nodeId);
  return (
    <>
      <Loaded resource={{ ...workers, data: workers.items }} label="Loading where connections live">
        {(items) =>
          items.length === 0 ? (
            <Empty icon="cluster" title="Nothing runs here">
              Connections that are started appear here by themselves.
            </Empty>
          ) : (
            <Table
              label="Connections and their nodes"
              columns={COLUMNS}
              rows={items}
              rowKey={({ workerId }) => workerId}
              windowed={items.length > 50}
            />
          )
        }
      </Loaded>
      <div class="worker-more">
        <LoadMore pages={workers} />
      </div>
    </>
  );
}
