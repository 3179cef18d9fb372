import { useSignal } from '@preact/signals';
import type { Role, User } from '../../../lib/contracts/entities.ts';
import { patch, post } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { RadioGroup, TextField } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';

interface UserDialogProps {
  /** null = a new one */
  user: User | null;
  onSaved: (user: User) => void;
  onClose: () => void;
}

const ROLES = [
  { value: 'user', label: 'User', hint: 'its own connections and webhooks' },
  { value: 'admin', label: 'Admin', hint: 'everything of everybody, users and keys too' },
];

export function UserDialog({ user, onSaved, onClose }: UserDialogProps) {
  const username = useSignal(user?.username ?? '');
  const email = useSignal(user?.email ?? '');
  const role = useSignal<Role>(user?.role ?? 'user');
  const save = useAction(() => {
    const body = { username: username.value.trim(), email: email.value.trim(), role: role.value };
    return user === null
      ? post<User>('/user/create', body)
      : patch<User>(`/user/${encodeURIComponent(user.userId)}`, body);
  });
  async function submit(): Promise<void> {
    const saved = await save.run();
    if (saved) onSaved(saved);
  }
  return (
    <Dialog title={user === null ? 'New user' : `Change ${user.username}`} onClose={onClose}>
      <Form onSubmit={() => void submit()} error={save.error.value}>
        <TextField
          label="User name"
          autofocus
          required
          maxLength={64}
          autocomplete="off"
          value={username.value}
          onValue={(value) => {
            username.value = value;
          }}
        />
        <TextField
          label="Email"
          type="email"
          required
          maxLength={254}
          autocomplete="off"
          hint="To tell people apart; nothing is sent there."
          value={email.value}
          onValue={(value) => {
            email.value = value;
          }}
        />
        <RadioGroup
          legend="Role"
          name="role"
          options={ROLES}
          value={role.value}
          onValue={(value) => {
            role.value = value === 'admin' ? 'admin' : 'user';
          }}
        />
        <div class="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={save.busy.value}>
            {user === null ? 'Create' : 'Save'}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
