import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api/api-error.ts';
import { ErrorNotice } from './error-notice.tsx';

interface FormProps {
  onSubmit: () => void;
  error?: ApiError | null;
  /** what did not work */
  errorTitle?: string;
  /** names it for a screen reader where several are on a page */
  label?: string;
  children: ComponentChildren;
}

/** A form that the browser checks (`required`, `pattern`, ...) and that script sends. */
export function Form({ onSubmit, error = null, errorTitle, label, children }: FormProps) {
  return (
    <form
      class="stack"
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      <ErrorNotice error={error} {...(errorTitle && { title: errorTitle })} />
    </form>
  );
}
