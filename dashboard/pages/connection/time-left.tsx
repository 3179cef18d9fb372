import { useMemo } from 'preact/hooks';
import { serverNow } from '../../api/server-clock.ts';
import { now } from '../../components/time.tsx';

interface TimeLeftProps {
  /** ISO 8601, on the server's clock; null = not known */
  until: string | null;
  /** what happens then: "New code" */
  what: string;
}

/** A bar that runs out, and the seconds in words. Give it a `key` that changes with the code: a new one starts full. */
export function TimeLeft({ until, what }: TimeLeftProps) {
  const wholeMs = useMemo(() => (until ? Math.max(1, Date.parse(until) - serverNow()) : 1), [until]);
  if (until === null) return null;
  now.value;
  const leftMs = Math.max(0, Date.parse(until) - serverNow());
  const seconds = Math.ceil(leftMs / 1_000);
  return (
    <div class="time-left">
      <progress max={wholeMs} value={leftMs} aria-label={`${what}: time left`} />
      <p class="small muted">{seconds > 0 ? `${what} in ${inWords(seconds)}` : `${what} any moment`}</p>
    </div>
  );
}

function inWords(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
