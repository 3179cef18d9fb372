import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api/api-error.ts';
import { ErrorNotice } from './error-notice.tsx';
import { Icon, type IconName } from './icon.tsx';

const SKELETON_KEYS = ['a', 'b', 'c', 'd', 'e'];

/** Something is being fetched and nothing can be shown yet. */
export function Loading({ label = 'Loading' }: { label?: string }) {
  return (
    <div class="skeleton" role="status">
      <p class="sr-only">{label}</p>
      {SKELETON_KEYS.map((key) => (
        <span key={key} aria-hidden="true" />
      ))}
    </div>
  );
}

interface EmptyProps {
  icon?: IconName;
  title: string;
  children?: ComponentChildren;
  actions?: ComponentChildren;
}

/** There is nothing: says so, and what to do next. */
export function Empty({ icon = 'info', title, children, actions }: EmptyProps) {
  return (
    <div class="empty">
      <Icon name={icon} size={32} />
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {actions && <div class="row">{actions}</div>}
    </div>
  );
}

interface LoadedProps<T> {
  /** of `useResource`, or `usePages` as `{...pages, data: pages.items}` */
  resource: { data: Signal<T | null>; error: Signal<ApiError | null>; reload(): Promise<void> };
  label?: string;
  children: (data: T) => ComponentChildren;
}

/** Loading, error and data of a resource: what was fetched stays on the page when fetching it again fails. */
export function Loaded<T>({ resource, label, children }: LoadedProps<T>) {
  const data = resource.data.value;
  const error = resource.error.value;
  const retry = () => void resource.reload();
  if (data === null) {
    return error ? (
      <ErrorNotice error={error} title="This could not be loaded" onRetry={retry} />
    ) : (
      <Loading label={label ?? 'Loading'} />
    );
  }
  return (
    <>
      <ErrorNotice error={error} title="What you see may be old" onRetry={retry} />
      {children(data)}
    </>
  );
}
