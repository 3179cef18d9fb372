import { Badge } from './badge.tsx';
import { statusWords } from './status-words.ts';

/** The status of a connection in human words. */
export function StatusBadge({ status }: { status: string }) {
  const { label, tone, busy } = statusWords(status);
  return (
    <Badge tone={tone} busy={busy}>
      {label}
    </Badge>
  );
}
