import type { ConnectionHistoryEntry } from '../../../lib/contracts/entities.ts';
import { useEvents } from '../../api/use-events.ts';
import { usePages } from '../../api/use-pages.ts';
import { Badge } from '../../components/badge.tsx';
import { Card } from '../../components/card.tsx';
import { LoadMore } from '../../components/load-more.tsx';
import { Loaded } from '../../components/states.tsx';
import { statusWords } from '../../components/status-words.ts';
import { Time } from '../../components/time.tsx';

/** Status changes, newest first, each with its reason and the node that saw it. */
export function History({ connectionId }: { connectionId: string }) {
  const entries = usePages<ConnectionHistoryEntry>(`/connection/${connectionId}/history`, { limit: 25 });
  useEvents(['connection.status'], ({ event }) => {
    if (event.connectionId === connectionId) void entries.reload();
  });
  return (
    <Card title="History">
      <Loaded resource={{ ...entries, data: entries.items }}>
        {(items) => (
          <ol class="timeline">
            {items.map((entry) => (
              <Entry key={`${entry.at} ${entry.status} ${entry.reason}`} entry={entry} />
            ))}
          </ol>
        )}
      </Loaded>
      <LoadMore pages={entries} />
    </Card>
  );
}

function Entry({ entry }: { entry: ConnectionHistoryEntry }) {
  const { status, reason, code, nodeId, epoch, at } = entry;
  /* it is over: nothing of it moves any more */
  const words = statusWords(status);
  const where = [nodeId && `on ${nodeId}`, epoch !== null && `epoch ${epoch}`, code !== null && `code ${code}`];
  return (
    <li>
      <div class="history-status">
        <Badge tone={words.tone}>{words.label}</Badge>
      </div>
      <div>
        <p>{reason ?? words.meaning}</p>
        <p class="small muted">{[<Time key="at" at={at} />, ...where.filter(Boolean).map((part) => ` · ${part}`)]}</p>
      </div>
    </li>
  );
}
