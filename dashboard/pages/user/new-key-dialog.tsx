import { useSignal } from '@preact/signals';
import type { ApiKey, User } from '../../../lib/contracts/entities.ts';
import { post } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { CodeLine } from '../../components/code-line.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { TextField } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { Notice } from '../../components/notice.tsx';

interface NewKeyDialogProps {
  user: User;
  onMade: () => void;
  onClose: () => void;
}

/** Makes a key and shows it, once: it lives in this dialog and nowhere else, and is gone when it closes. */
export function NewKeyDialog({ user, onMade, onClose }: NewKeyDialogProps) {
  const name = useSignal('');
  const made = useSignal<ApiKey | null>(null);
  const create = useAction(async () => {
    const body = name.value.trim() ? { name: name.value.trim() } : {};
    made.value = await post<ApiKey>(`/user/${encodeURIComponent(user.userId)}/key/create`, body);
    onMade();
  });
  if (made.value?.key) return <ShownOnce apiKey={made.value.key} user={user} onClose={onClose} />;
  return (
    <Dialog title={`New key for ${user.username}`} onClose={onClose}>
      <Form onSubmit={() => void create.run()} error={create.error.value}>
        <TextField
          label="Name"
          autofocus
          maxLength={64}
          autocomplete="off"
          hint="Where it is used: a server, a laptop. It may stay empty."
          value={name.value}
          onValue={(value) => {
            name.value = value;
          }}
        />
        <div class="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={create.busy.value}>
            Create
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

function ShownOnce({ apiKey, user, onClose }: { apiKey: string; user: User; onClose: () => void }) {
  return (
    <Dialog title={`The key of ${user.username}`} onClose={onClose}>
      <Notice tone="warn" urgent title="It is shown this once">
        Copy it now. Only a hash of it is stored; nobody can show it again.
      </Notice>
      <CodeLine code={apiKey} label="Copy the key" />
      <div class="dialog-foot">
        <Button kind="primary" onClick={onClose} autofocus>
          I have copied it
        </Button>
      </div>
    </Dialog>
  );
}
