import { tickOf } from './tick-state.ts';

const OUTLINES = {
  waiting: 'M10 4a8 8 0 1 0 .01 0M10 8v4l3 2',
  one: 'M4 12l4 4 8-9',
  two: 'M2 12l4 4 8-9M11 15l1 1 8-9',
  seen: 'M2 12l4 4 8-9M11 15l1 1 8-9',
  failed: 'M11 4a8 8 0 1 0 .01 0M11 8v5M11 16h.01',
  stopped: 'M6 6l11 11M17 6L6 17',
  unknown: 'M11 4a8 8 0 1 0 .01 0M9 10a2 2 0 1 1 2 2v1.5M11 16.5h.01',
} as const;

/** How far a message has come: a mark with its word for screen readers and as tooltip. */
export function TickMark({ status }: { status: string }) {
  const { mark, label } = tickOf(status);
  return (
    <span class={`tick tick-${mark}`} title={label} data-status={status}>
      <svg
        width="18"
        height="16"
        viewBox="0 0 22 22"
        fill="none"
        stroke="currentColor"
        stroke-width="2"
        stroke-linecap="round"
        stroke-linejoin="round"
        aria-hidden="true"
      >
        <path d={OUTLINES[mark]} />
      </svg>
      <span class="sr-only">{label}</span>
    </span>
  );
}
