import type { ApiError } from '../api/api-error.ts';
import { Button } from './button.tsx';
import { Notice } from './notice.tsx';

interface ErrorNoticeProps {
  error: ApiError | null;
  /** what did not work: "The connection was not stopped" */
  title?: string;
  onRetry?: () => void;
}

/** Why something failed, in the API's own words, with its type and request id for a report. Nothing without an error. */
export function ErrorNotice({ error, title, onRetry }: ErrorNoticeProps) {
  if (error === null) return null;
  const retry = onRetry && (
    <Button small icon="retry" onClick={onRetry}>
      Try again
    </Button>
  );
  return (
    <Notice tone={error.passing ? 'warn' : 'bad'} title={title} actions={retry} urgent>
      <p>{error.message}</p>
      {error.problems.length > 0 && (
        <ul class="bullets small">
          {error.problems.map(({ field, rule }) => (
            <li key={field + rule}>
              <code>{field}</code>: {rule}
            </li>
          ))}
        </ul>
      )}
      {error.requestId && (
        <p class="small muted">
          <code>{error.type}</code>, request <code>{error.requestId}</code>
        </p>
      )}
    </Notice>
  );
}
