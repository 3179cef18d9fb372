import { Button } from '../../components/button.tsx';
import type { Draft } from './draft-state.ts';
import { MessageText } from './message-text.tsx';

interface DraftItemProps {
  draft: Draft;
  onRetry: (draft: Draft) => void;
  onDiscard: (draft: Draft) => void;
}

/** A message that was written here and that Castellan has not stored (yet). */
export function DraftItem({ draft, onRetry, onDiscard }: DraftItemProps) {
  return (
    <li class="message is-out">
      <div class="bubble is-draft">
        <p class="sr-only">You</p>
        <MessageText text={draft.text} />
        <p class="message-meta">{draft.state === 'submitting' ? 'being stored' : 'not stored'}</p>
      </div>
      {draft.advice && (
        <div class="message-problem tone-bad" role="alert">
          <p>
            <strong>{draft.advice.why}</strong> {draft.advice.whatToDo}
          </p>
          <div class="row">
            <Button small icon="retry" onClick={() => onRetry(draft)}>
              Retry
            </Button>
            <Button kind="quiet" small onClick={() => onDiscard(draft)}>
              Discard
            </Button>
          </div>
        </div>
      )}
    </li>
  );
}
