import { signal } from '@preact/signals';
import { serverNow } from '../api/server-clock.ts';

/** The one clock of the page, once a second; reading `.value` follows it. */
export const now = signal(serverNow());
setInterval(() => {
  if (!document.hidden) now.value = serverNow();
}, 1_000);

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const full = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });

/** "3 minutes ago", "in 2 hours", "just now". @param at milliseconds since the epoch */
export function relativeTime(at: number, from: number): string {
  const seconds = Math.round((at - from) / 1_000);
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  if (seconds > 4) return relative.format(seconds, 'second');
  return seconds > -10 ? 'just now' : relative.format(seconds, 'second');
}

export const fullTime = (iso: string): string => full.format(new Date(iso));

/** A moment, relative to now or (`absolute`) as date and time; the other one is its tooltip. */
export function Time({ at, absolute = false }: { at: string; absolute?: boolean }) {
  const exact = fullTime(at);
  return absolute ? (
    <time dateTime={at}>{exact}</time>
  ) : (
    <time dateTime={at} title={exact}>
      {relativeTime(Date.parse(at), now.value)}
    </time>
  );
}
