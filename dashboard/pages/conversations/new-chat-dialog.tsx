import { useSignal } from '@preact/signals';
import type { Message } from '../../../lib/contracts/entities.ts';
import { post } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { TextAreaField, TextField } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';

interface NewChatDialogProps {
  connectionId: string;
  onSent: (message: Message) => void;
  onClose: () => void;
}

/** The first message to somebody. */
export function NewChatDialog({ connectionId, onSent, onClose }: NewChatDialogProps) {
  const to = useSignal('');
  const text = useSignal('');
  const send = useAction(() =>
    post<Message>('/message/send', {
      connectionId,
      content: text.value,
      ...(to.value.trim() !== '' && { to: to.value.trim().replace(/[\s()-]/g, '') }),
    }),
  );
  async function submit(): Promise<void> {
    const message = await send.run();
    if (message) onSent(message);
  }
  return (
    <Dialog title="New chat" onClose={onClose}>
      <Form onSubmit={() => void submit()} error={send.error.value} errorTitle="The message was not taken">
        <TextField
          label="To"
          hint="A phone number with its country code, or a WhatsApp id. Left empty, it goes to the account’s own chat."
          value={to.value}
          onValue={(value) => {
            to.value = value;
          }}
          autoComplete="off"
          autofocus
        />
        <TextAreaField
          label="Message"
          required
          dir="auto"
          maxLength={65_536}
          value={text.value}
          onValue={(value) => {
            text.value = value;
          }}
        />
        <div class="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" icon="send" type="submit" busy={send.busy.value}>
            Send
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
