import { signal } from '@preact/signals';
import { Button } from './button.tsx';

interface Toast {
  id: number;
  text: string;
}

const SHOWN_MS = 6_000;
const MAX_TOASTS = 3;
const spoken = signal('');
const toasts = signal<Toast[]>([]);
let lastId = 0;

/** Says something to a screen reader without showing it: a status that changed on the page. */
export function announce(text: string): void {
  /* the same text twice would not be read again */
  spoken.value = spoken.value === text ? `${text}\u00a0` : text;
}

/** Says and shows for a few seconds that something was done. Errors do not belong here: they stay beside their cause. */
export function notify(text: string): void {
  const toast = { id: ++lastId, text };
  toasts.value = [...toasts.value, toast].slice(-MAX_TOASTS);
  announce(text);
  setTimeout(() => dismiss(toast.id), SHOWN_MS);
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Once, in the shell. */
export function Announcer() {
  return (
    <>
      <div class="sr-only" aria-live="polite" role="status">
        {spoken.value}
      </div>
      <section class="toasts" aria-label="Notifications">
        {toasts.value.map(({ id, text }) => (
          <div class="toast" key={id}>
            <span>{text}</span>
            <Button kind="quiet" small icon="close" iconOnly onClick={() => dismiss(id)}>
              Dismiss
            </Button>
          </div>
        ))}
      </section>
    </>
  );
}
