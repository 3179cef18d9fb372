import type { ComponentChildren } from 'preact';
import { useAction } from '../api/use-action.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { ErrorNotice } from './error-notice.tsx';

interface ConfirmDialogProps {
  /** a question: "Delete Shop?" */
  title: string;
  /** the verb on the button: "Delete" */
  confirm: string;
  /** the opposite, default "Cancel" */
  cancel?: string;
  /** an ordinary step rather than a loss */
  harmless?: boolean;
  /** what is lost, by name */
  children: ComponentChildren;
  perform: () => Promise<unknown>;
  onDone: () => void;
  onClose: () => void;
}

/** Asks before something is lost; the safe answer has the focus, and an error stays in the dialog. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, confirm, cancel = 'Cancel', harmless, children, perform, onDone, onClose } = props;
  const action = useAction(async () => {
    await perform();
    return true;
  });
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="stack tight">{children}</div>
      <ErrorNotice error={action.error.value} />
      <div class="dialog-foot">
        <Button onClick={onClose} autofocus>
          {cancel}
        </Button>
        <Button
          kind={harmless ? 'primary' : 'danger solid'}
          busy={action.busy.value}
          onClick={async () => {
            if (await action.run()) onDone();
          }}
        >
          {confirm}
        </Button>
      </div>
    </Dialog>
  );
}
