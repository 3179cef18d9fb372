import { useSignal } from '@preact/signals';
import type { Message } from '../../../lib/contracts/entities.ts';
import { post } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { notify } from '../../components/announcer.tsx';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { adviceFor } from './failure-reason.ts';

interface MessageProblemProps {
  message: Message;
  onSendAgain: (message: Message) => void;
}

/** Why a message did not go out and what to do about it; for one that waits, that it can be cancelled. */
export function MessageProblem({ message, onSendAgain }: MessageProblemProps) {
  const asking = useSignal(false);
  const advice = adviceFor(message);
  if (message.status === 'queued') return <CancelButton message={message} />;
  if (advice === null) return null;
  const again = () => {
    // Whether it arrived is not known: sending it again is a decision.
    if (message.status === 'parked') asking.value = true;
    else onSendAgain(message);
  };
  return (
    <div class={`message-problem ${message.status === 'failed' ? 'tone-bad' : 'tone-warn'}`}>
      <p>
        <strong>{advice.why}</strong> {advice.whatToDo}
      </p>
      {advice.retry && message.content.type === 'text' && (
        <Button small icon="retry" onClick={again}>
          Send again
        </Button>
      )}
      {asking.value && (
        <ConfirmDialog
          title="Send this message again?"
          confirm="Send again"
          harmless
          perform={async () => onSendAgain(message)}
          onDone={() => {
            asking.value = false;
          }}
          onClose={() => {
            asking.value = false;
          }}
        >
          <p>{advice.why} If it did, the other side gets it twice.</p>
        </ConfirmDialog>
      )}
    </div>
  );
}

function CancelButton({ message }: { message: Message }) {
  const cancel = useAction(async () => {
    await post(`/job/${message.jobId}/cancel`);
    notify('The message was cancelled.');
  });
  if (message.jobId === null) return null;
  return (
    <div class="message-waiting">
      <Button kind="quiet" small busy={cancel.busy.value} onClick={() => void cancel.run()}>
        Cancel
      </Button>
      <ErrorNotice error={cancel.error.value} title="It was not cancelled" />
    </div>
  );
}
