// biome-ignore-all lint/a11y/useSemanticElements: rows of a <table> can neither be windowed nor become cards on a phone
// biome-ignore-all lint/a11y/useFocusableInteractive: rows and cells are not interactive, what is in them is
import type { ComponentChildren } from 'preact';
import { useWindow } from './use-window.ts';

export interface Column<T> {
  key: string;
  title: string;
  /** of `grid-template-columns`; default `minmax(0, 1fr)` */
  width?: string;
  /** to the right: numbers, buttons */
  end?: boolean;
  /** left out on a phone */
  wideOnly?: boolean;
  cell: (row: T) => ComponentChildren;
}

interface TableProps<T> {
  /** what the rows are; said by screen readers */
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  /** draws only the rows that can be seen; every row then has the same height. For lists that may be long */
  windowed?: boolean;
}

/** Rows of the same kind: a table on a wide screen, cards on a phone. */
export function Table<T>({ label, columns, rows, rowKey, windowed = false }: TableProps<T>) {
  const { body, from, to, before, after } = useWindow(rows.length, windowed);
  const template = columns.map(({ width }) => width ?? 'minmax(0, 1fr)').join(' ');
  const shown = windowed ? rows.slice(from, to) : rows;
  return (
    <div
      role="table"
      class={windowed ? 'table windowed' : 'table'}
      aria-label={label}
      aria-rowcount={rows.length + 1}
      style={{ '--columns': template }}
    >
      <div role="rowgroup">
        <div role="row" class="table-head" aria-rowindex={1}>
          {columns.map(({ key, title, end, wideOnly }) => (
            <div role="columnheader" key={key} class={cellClass(end, wideOnly)}>
              {title}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" class="table-body" ref={body}>
        {before > 0 && <div role="presentation" style={{ height: `${before}px` }} />}
        {shown.map((row, index) => (
          <div role="row" class="table-row" key={rowKey(row)} aria-rowindex={(windowed ? from : 0) + index + 2}>
            {columns.map(({ key, cell, end, wideOnly }) => (
              <div role="cell" key={key} class={cellClass(end, wideOnly)}>
                {cell(row)}
              </div>
            ))}
          </div>
        ))}
        {after > 0 && <div role="presentation" style={{ height: `${after}px` }} />}
      </div>
    </div>
  );
}

function cellClass(end: boolean | undefined, wideOnly: boolean | undefined): string {
  return `table-cell${end ? ' end' : ''}${wideOnly ? ' wide-only' : ''}`;
}
