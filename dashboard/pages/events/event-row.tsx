import { useSignal } from '@preact/signals';
import { connectionName } from '../../api/connections-store.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { fullTime } from '../../components/time.tsx';
import type { LogEntry } from './event-log-state.ts';
import { summaryOf } from './event-summary.ts';

const clock = new Intl.DateTimeFormat('en', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
});

interface EventRowProps {
  entry: LogEntry;
  onReplay: (entry: LogEntry) => void;
}

/** One event in a line; opened, the whole of it as the API gives it. */
export function EventRow({ entry, onReplay }: EventRowProps) {
  const open = useSignal(false);
  const { event } = entry;
  const json = () => JSON.stringify(event, null, 2);
  return (
    <li class="event" data-event-id={event.eventId}>
      <div class="event-line">
        <time class="mono small" dateTime={event.occurredAt} title={fullTime(event.occurredAt)}>
          {clock.format(new Date(event.occurredAt))}
        </time>
        <code class="event-type">{event.type}</code>
        <span class="event-connection small muted truncate">
          {event.connectionId !== null && <bdi>{connectionName(event.connectionId)}</bdi>}
        </span>
        <span class="event-summary small">
          <bdi>{summaryOf(event)}</bdi>
        </span>
        <div class="event-buttons">
          <CopyButton text={json} label={`Copy ${event.type} as JSON`} />
          <Button
            kind="quiet"
            small
            aria-expanded={open.value}
            aria-controls={`details-${event.eventId}`}
            onClick={() => {
              open.value = !open.value;
            }}
          >
            {open.value ? 'Less' : 'More'}
            <span class="sr-only"> about {event.type}</span>
          </Button>
        </div>
      </div>
      {open.value && (
        <div id={`details-${event.eventId}`} class="event-details">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard */}
          <section class="event-json" tabIndex={0} aria-label={`${event.type} as JSON`}>
            <pre>
              <code>{json()}</code>
            </pre>
          </section>
          <div class="row">
            <CopyButton text={json} label="Copy as JSON" iconOnly={false} />
            <Button small icon="retry" onClick={() => onReplay(entry)}>
              Replay from here
            </Button>
          </div>
        </div>
      )}
    </li>
  );
}
