import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { NodeInfo } from '../../../lib/contracts/session-node.contract.ts';
import { post } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { notify } from '../../components/announcer.tsx';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Time } from '../../components/time.tsx';

interface NodeListProps {
  nodes: readonly NodeInfo[];
  onChange: () => void;
}

/** Every session-node with what it carries. */
export function NodeList({ nodes, onChange }: NodeListProps) {
  const taking = nodes.filter(({ draining }) => !draining).length;
  return (
    <ul class="nodes" aria-label="Nodes">
      {nodes.map((node) => (
        <li key={node.nodeId}>
          <NodeCard node={node} isLast={taking === 1 && !node.draining} onChange={onChange} />
        </li>
      ))}
    </ul>
  );
}

function NodeCard({ node, isLast, onChange }: { node: NodeInfo; isLast: boolean; onChange: () => void }) {
  const { nodeId, draining, drainingSince, connections, open, memoryBytes, messagesPerMinute, startedAt } = node;
  return (
    <Card title={nodeId} actions={draining ? <Badge tone="warn">Draining</Badge> : <Badge tone="ok">Working</Badge>}>
      <dl class="facts">
        <Fact term="Sessions">
          {connections} <span class="muted">({open} connected)</span>
        </Fact>
        <Fact term="Memory">{megabytes(memoryBytes)}</Fact>
        <Fact term="Messages a minute">{messagesPerMinute}</Fact>
        <Fact term={drainingSince ? 'Draining since' : 'Started'}>
          <Time at={drainingSince ?? startedAt} />
        </Fact>
      </dl>
      <Drain node={node} isLast={isLast} onChange={onChange} />
    </Card>
  );
}

function Fact({ term, children }: { term: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Drain({ node, isLast, onChange }: { node: NodeInfo; isLast: boolean; onChange: () => void }) {
  const asking = useSignal(false);
  const { nodeId, draining, connections } = node;
  const path = `/cluster/nodes/${encodeURIComponent(nodeId)}/drain`;
  const undrain = useAction(async () => {
    await post(path, { draining: false });
    notify(`${nodeId} takes connections again.`);
    onChange();
  });
  const close = () => {
    asking.value = false;
  };
  if (draining) {
    return (
      <div class="node-foot">
        <Button icon="play" busy={undrain.busy.value} onClick={() => void undrain.run()}>
          Take connections again
        </Button>
        <ErrorNotice error={undrain.error.value} title="The node still drains" />
      </div>
    );
  }
  return (
    <div class="node-foot">
      <Button
        icon="out"
        onClick={() => {
          asking.value = true;
        }}
      >
        Drain
      </Button>
      {asking.value && (
        <ConfirmDialog
          title={`Drain ${nodeId}?`}
          confirm="Drain"
          perform={async () => {
            await post(path, { draining: true });
            onChange();
          }}
          onDone={() => {
            close();
            notify(`${nodeId} hands over what it runs.`);
          }}
          onClose={close}
        >
          {isLast ? (
            <p>
              <strong>No other node takes over.</strong> {countOf(connections)} go offline and stay so until this node
              takes connections again or another one starts. What is sent to them meanwhile waits.
            </p>
          ) : (
            <p>
              {countOf(connections)} move to the other nodes; each is offline for a moment. The node begins nothing more
              until you let it.
            </p>
          )}
          <p>No login and no message is lost.</p>
        </ConfirmDialog>
      )}
    </div>
  );
}

function countOf(connections: number): string {
  return connections === 1 ? 'Its one connection will' : `Its ${connections} connections will`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576).toLocaleString('en')} MB`;
}
