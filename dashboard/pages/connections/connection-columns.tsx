import type { Connection } from '../../../lib/contracts/entities.ts';
import { nameOf, phoneNumber } from '../../api/connections-store.ts';
import { StatusBadge } from '../../components/status-badge.tsx';
import type { Column } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { Link } from '../../routing/link.tsx';

/** @param forAdmin whose it is, too */
export function connectionColumns(forAdmin: boolean): Column<Connection>[] {
  const columns: Column<Connection>[] = [
    { key: 'name', title: 'Connection', width: 'minmax(0, 3fr)', cell: (row) => <NameCell row={row} /> },
    { key: 'status', title: 'Status', width: 'minmax(11rem, 2fr)', cell: (row) => <StatusCell row={row} /> },
    {
      key: 'node',
      title: 'Runs on',
      wideOnly: true,
      width: 'minmax(0, 1.4fr)',
      cell: ({ worker }) => <div class="truncate">{worker ? worker.nodeId : <span class="muted">nowhere</span>}</div>,
    },
    {
      key: 'changed',
      title: 'Changed',
      wideOnly: true,
      width: '8.5rem',
      cell: ({ updatedAt }) => <Time at={updatedAt} />,
    },
  ];
  if (!forAdmin) return columns;
  const owner: Column<Connection> = {
    key: 'owner',
    title: 'Owner',
    wideOnly: true,
    width: 'minmax(0, 1.4fr)',
    cell: ({ userId }) => (
      <div class="truncate small">
        <Link class="row-link" href={`/users/${encodeURIComponent(userId)}`}>
          {userId}
        </Link>
      </div>
    ),
  };
  return [...columns.slice(0, 2), owner, ...columns.slice(2)];
}

function NameCell({ row }: { row: Connection }) {
  const account = row.me?.pn ? phoneNumber(row.me.pn) : 'Not paired yet';
  return (
    <>
      <div class="truncate">
        <Link class="row-link" href={`/connections/${row.connectionId}`}>
          {nameOf(row)}
        </Link>
      </div>
      <div class="truncate small muted">{account}</div>
    </>
  );
}

function StatusCell({ row }: { row: Connection }) {
  const reason = row.degraded ? 'Breaks often' : row.status === 'open' ? null : row.statusReason;
  return (
    <>
      <StatusBadge status={row.status} />
      {reason && <div class="truncate small muted status-reason">{reason}</div>}
    </>
  );
}
