import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { signIn } from '../../api/session.ts';
import { useAction } from '../../api/use-action.ts';
import { AsCurl } from '../../components/as-curl.tsx';
import { Button } from '../../components/button.tsx';
import { TextField } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';

/**
 * The key is exchanged for a cookie that script cannot read, and forgotten. The address stays, so that who signs in gets
 * the page that was asked for.
 */
export function SignInPage() {
  const key = useSignal('');
  const enter = useAction(async () => {
    await signIn(key.value.trim());
  });
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    document.title = 'Sign in · Castellan';
    /* `autofocus` counts for a page that is loaded, not for one that came after a sign-out */
    root.current?.querySelector('input')?.focus();
  }, []);
  const wrong = enter.error.value?.status === 401;
  return (
    <main class="centre">
      <div class="sign-in stack loose" ref={root}>
        <div class="stack tight">
          <img src="/favicon.svg" width="40" height="40" alt="" />
          <h1>Sign in to Castellan</h1>
          <p class="muted">With an API key: the admin key of this system, or one that an admin made for you.</p>
        </div>
        <Form onSubmit={() => void enter.run()} error={wrong ? null : enter.error.value} errorTitle="Not signed in">
          <TextField
            label="API key"
            type="password"
            autocomplete="current-password"
            required
            value={key.value}
            onValue={(value) => {
              key.value = value;
            }}
            problem={wrong ? 'This key is not valid, or it was revoked.' : null}
            hint="The admin key was shown at the first start, or it is ADMIN_API_KEY of the process."
          />
          <Button kind="primary" type="submit" busy={enter.busy.value}>
            Sign in
          </Button>
        </Form>
        <AsCurl
          calls={[{ title: 'No sign-in is needed for the API: every call carries the key.', path: '/connection/list' }]}
        />
      </div>
    </main>
  );
}
