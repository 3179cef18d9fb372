import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { loadConnections } from '../../api/connections-store.ts';
import { streamState } from '../../api/event-stream.ts';
import type { CurlCall } from '../../components/as-curl.tsx';
import { Button } from '../../components/button.tsx';
import { Card } from '../../components/card.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Page } from '../../components/page.tsx';
import { Empty } from '../../components/states.tsx';
import { location, setQuery } from '../../routing/router.ts';
import { EventFilters } from './event-filters.tsx';
import { clear, type EventFilter, type LogEntry, pause, queryOf, resume, visible } from './event-log-state.ts';
import { eventLog } from './event-log-store.ts';
import { replay, startReplay } from './event-replay.ts';
import { EventRow } from './event-row.tsx';
import { ReplayNotice } from './replay-notice.tsx';
import './events.css';

/** So many rows are drawn at first, and more of them on request. */
const STEP = 100;

/** The event log as it grows, and again from any place in it: `/events?types=...&connection=...`. */
export function EventsPage() {
  useEffect(() => void loadConnections(), []);
  const filter = filterOf(location.value.query);
  const entries = visible(eventLog.value.shown, filter);
  // A replay reads through the filter: with another one it begins again.
  const filterKey = JSON.stringify(filter);
  useEffect(() => {
    const running = replay.peek();
    if (running && JSON.stringify(running.filter) !== filterKey) startReplay(running.from, filter);
  }, [filterKey]);
  return (
    <Page
      title="Events"
      lead="Everything that happens, as webhooks and the event stream tell it."
      curl={curlOf(filter)}
      actions={<LogButtons entries={entries} filter={filter} />}
    >
      <EventFilters filter={filter} />
      <ReplayNotice />
      <Held />
      {entries.length === 0 ? (
        <NothingYet filter={filter} />
      ) : (
        <Rows key={filterKey} entries={entries} filter={filter} />
      )}
    </Page>
  );
}

function filterOf(query: URLSearchParams): EventFilter {
  return {
    types: query.get('types')?.split(',').filter(Boolean) ?? [],
    connectionId: query.get('connection'),
  };
}

function LogButtons({ entries, filter }: { entries: readonly LogEntry[]; filter: EventFilter }) {
  const { paused } = eventLog.value;
  return (
    <>
      {replay.value === null && (
        <Button
          icon={paused ? 'play' : 'pause'}
          aria-pressed={paused}
          onClick={() => {
            eventLog.value = paused ? resume(eventLog.value) : pause(eventLog.value);
          }}
        >
          {paused ? 'Go on' : 'Pause'}
        </Button>
      )}
      <Button
        disabled={replay.value !== null}
        onClick={() => {
          eventLog.value = clear(eventLog.value);
        }}
      >
        Clear
      </Button>
      <Button icon="retry" onClick={() => startReplay(null, filter)}>
        Replay from the beginning
      </Button>
      <CopyButton
        text={() =>
          JSON.stringify(
            entries.map(({ event }) => event),
            null,
            2,
          )
        }
        label="Copy all as JSON"
        iconOnly={false}
      />
    </>
  );
}

/** What waits while it is paused. */
function Held() {
  const { held, paused, dropped } = eventLog.value;
  if (replay.value !== null) return null;
  return (
    <>
      {paused && (
        <p class="muted" role="status">
          Paused; {held.length === 0 ? 'nothing new' : `${held.length} new`}.
        </p>
      )}
      {dropped > 0 && <p class="small muted">{dropped} older ones made room. Replay the log to see them.</p>}
    </>
  );
}

function Rows({ entries, filter }: { entries: readonly LogEntry[]; filter: EventFilter }) {
  const limit = useSignal(STEP);
  return (
    <>
      <Card flush>
        <ul class="events" aria-label="Events, newest first">
          {entries.slice(0, limit.value).map((entry) => (
            <EventRow key={entry.event.eventId} entry={entry} onReplay={(from) => startReplay(from, filter)} />
          ))}
        </ul>
      </Card>
      {entries.length > limit.value && (
        <div class="row">
          <Button
            onClick={() => {
              limit.value += STEP;
            }}
          >
            Show older
          </Button>
          <span class="small muted">{entries.length - limit.value} more</span>
        </div>
      )}
    </>
  );
}

function NothingYet({ filter }: { filter: EventFilter }) {
  const isFiltered = filter.types.length > 0 || filter.connectionId !== null;
  if (replay.value?.state === 'reading') return null;
  return (
    <Empty
      icon="events"
      title={isFiltered ? 'Nothing here goes through the filter' : 'Nothing has happened since you opened the page'}
      actions={isFiltered && <Button onClick={() => setQuery({ types: null, connection: null })}>Show all</Button>}
    >
      {streamState.value === 'lost'
        ? 'Castellan does not answer.'
        : 'New events appear here by themselves; replay the log to see older ones.'}
    </Empty>
  );
}

function curlOf(filter: EventFilter): CurlCall[] {
  return [
    { title: 'Follow them', path: '/event/stream', query: queryOf(filter) },
    { title: 'Read the log from its beginning; go on with after=cursor', path: '/event/list', query: queryOf(filter) },
  ];
}
