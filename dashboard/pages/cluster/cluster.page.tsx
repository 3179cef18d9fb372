import { useEffect } from 'preact/hooks';
import { loadConnections } from '../../api/connections-store.ts';
import type { CurlCall } from '../../components/as-curl.tsx';
import { Page } from '../../components/page.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { MovementList } from './movement-list.tsx';
import { NodeList } from './node-list.tsx';
import { useNodes } from './use-placement.ts';
import { WorkerList } from './worker-list.tsx';
import './cluster.css';

const CURL: readonly CurlCall[] = [
  { title: 'The nodes', path: '/cluster/nodes' },
  { title: 'Which connection lives where', path: '/cluster/workers' },
  { title: 'Drain a node', method: 'POST', path: '/cluster/nodes/node-1/drain', body: { draining: true } },
  {
    title: 'Follow moves and takeovers',
    path: '/event/stream',
    query: { types: 'connection.moved,connection.status' },
  },
];

/** The session-nodes, what runs on each, and how it moves. For admins. */
export function ClusterPage() {
  const nodes = useNodes();
  useEffect(() => void loadConnections(), []);
  return (
    <Page title="Cluster" lead="The nodes that keep the sessions, and which session is on which." curl={CURL}>
      <Loaded resource={nodes} label="Loading the nodes">
        {(items) => (
          <>
            {items.length === 0 ? (
              <Empty icon="cluster" title="No session-node is running">
                Start a process with SERVICES=session-node: until then no connection can be up.
              </Empty>
            ) : (
              <NodeList nodes={items} onChange={() => void nodes.reload()} />
            )}
            <div class="columns">
              <WorkerList nodes={items} />
              <MovementList />
            </div>
          </>
        )}
      </Loaded>
    </Page>
  );
}
