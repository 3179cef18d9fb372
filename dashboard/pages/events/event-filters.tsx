import { connectionName, connections } from '../../api/connections-store.ts';
import { SelectField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { setQuery } from '../../routing/router.ts';
import { EventTypeChoice } from '../webhooks/event-type-choice.tsx';
import type { EventFilter } from './event-log-state.ts';

/** Which events are shown; kept in the address. */
export function EventFilters({ filter }: { filter: EventFilter }) {
  const { types, connectionId } = filter;
  const options = (connections.value ?? []).map((connection) => ({
    value: connection.connectionId,
    label: connectionName(connection.connectionId),
  }));
  const isListed = connectionId === null || options.some(({ value }) => value === connectionId);
  return (
    <div class="filters">
      <SelectField
        label="Connection"
        value={connectionId ?? ''}
        onValue={(value) => setQuery({ connection: value })}
        options={[
          { value: '', label: 'All connections' },
          ...(isListed ? [] : [{ value: connectionId ?? '', label: connectionId ?? '' }]),
          ...options,
        ]}
      />
      <details class="type-filter">
        <summary class="button">
          <Icon name="filter" size={16} />
          {types.length === 0 ? 'All types' : types.length === 1 ? types[0] : `${types.length} types`}
        </summary>
        <div class="card">
          <EventTypeChoice
            legend="Only these types (none = all)"
            chosen={types}
            onChosen={(chosen) => setQuery({ types: chosen.join(',') })}
          />
        </div>
      </details>
    </div>
  );
}
