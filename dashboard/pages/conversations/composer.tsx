import { useSignal } from '@preact/signals';
import { Button } from '../../components/button.tsx';

export const COMPOSER_ID = 'composer-text';
/** As the API takes it. */
const MAX_LENGTH = 65_536;
/** A finger has no Shift key: there, Enter is a new line and the button sends. */
const COARSE = '(pointer: coarse)';

/** Where a message is written. Enter sends, Shift+Enter begins a new line. */
export function Composer({ to, onSend }: { to: string; onSend: (text: string) => void }) {
  const text = useSignal('');
  const canSend = text.value.trim() !== '';

  function send(): void {
    if (!canSend) return;
    onSend(text.value);
    text.value = '';
  }

  return (
    <form
      class="composer"
      aria-label={`Write to ${to}`}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label class="sr-only" htmlFor={COMPOSER_ID}>
        Message to {to}
      </label>
      <textarea
        id={COMPOSER_ID}
        class="input"
        rows={1}
        dir="auto"
        maxLength={MAX_LENGTH}
        placeholder="Write a message"
        aria-describedby="composer-hint"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing || matchMedia(COARSE).matches) return;
          event.preventDefault();
          send();
        }}
      />
      <p class="sr-only" id="composer-hint">
        Enter sends, Shift and Enter begin a new line.
      </p>
      <Button kind="primary" icon="send" type="submit" disabled={!canSend}>
        Send
      </Button>
    </form>
  );
}
