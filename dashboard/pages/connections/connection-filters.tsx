import { SelectField, TextField } from '../../components/field.tsx';
import { CONNECTION_STATUSES, statusWords } from '../../components/status-words.ts';
import { location, setQuery } from '../../routing/router.ts';
import { ATTENTION } from './connection-search.ts';

const OPTIONS = [
  { value: '', label: 'Every status' },
  { value: ATTENTION, label: 'Needs attention' },
  ...CONNECTION_STATUSES.map((status) => ({ value: status, label: statusWords(status).label })),
];

/** Search and status; both are in the address, so that a link shows the same. */
export function ConnectionFilters({ found, of }: { found: number; of: number }) {
  const { query } = location.value;
  return (
    <search class="filters" aria-label="Connections">
      <TextField
        label="Search"
        type="search"
        wide
        placeholder="Name, number or id"
        value={query.get('q') ?? ''}
        onValue={(q) => setQuery({ q })}
      />
      <SelectField
        label="Status"
        options={OPTIONS}
        value={query.get('status') ?? ''}
        onValue={(status) => setQuery({ status })}
      />
      <p class="small muted" role="status">
        {found === of ? `${of} shown` : `${found} of ${of} shown`}
      </p>
    </search>
  );
}
