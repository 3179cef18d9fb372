import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { RemoteAuth } from '../../../lib/contracts/entities.ts';
import { callText, post } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { useResource } from '../../api/use-resource.ts';
import { announce } from '../../components/announcer.tsx';
import { Button } from '../../components/button.tsx';
import { TextField } from '../../components/field.tsx';
import { Form } from '../../components/form.tsx';
import { Loaded } from '../../components/states.tsx';
import { TimeLeft } from './time-left.tsx';

/** The QR code of the moment, beside what to do with it. */
export function QrPairing({ auth }: { auth: RemoteAuth }) {
  const { connectionId, qr } = auth;
  const picture = useResource(
    (signal) => callText('GET', `/connection/${connectionId}/auth/qr.svg`, { signal }),
    [connectionId],
  );
  const shown = useRef(qr);
  useEffect(() => {
    if (shown.current === qr) return;
    shown.current = qr;
    /* the former picture stays until the new one is there: nothing jumps */
    void picture.reload();
    announce('A new QR code is shown.');
  }, [qr]);
  return (
    <div class="pairing">
      <div class="stack tight">
        <div class="qr-frame">
          <Loaded resource={picture} label="Drawing the QR code">
            {(svg) => (
              <img
                src={`data:image/svg+xml,${encodeURIComponent(svg)}`}
                width="264"
                height="264"
                alt="QR code to link this device"
              />
            )}
          </Loaded>
        </div>
        <TimeLeft key={qr} until={auth.expiresAt} what="New code" />
      </div>
      <div class="stack">
        <ol class="steps">
          <li>Open WhatsApp on the phone.</li>
          <li>
            Tap <strong>Settings</strong> (or the three dots), then <strong>Linked devices</strong>.
          </li>
          <li>
            Tap <strong>Link a device</strong> and point the phone at this code.
          </li>
        </ol>
        <p class="muted">The code is replaced by itself. This page says so when the phone took it.</p>
        <ByCode connectionId={connectionId} />
      </div>
    </div>
  );
}

/** For a phone whose camera cannot see this screen. */
function ByCode({ connectionId }: { connectionId: string }) {
  const open = useSignal(false);
  const number = useSignal('');
  const ask = useAction(() =>
    post(`/connection/${connectionId}/auth/pairing-code`, { phoneNumber: number.value.replace(/[\s()-]/g, '') }),
  );
  if (!open.value) {
    return (
      <div>
        <Button small icon="key" onClick={() => (open.value = true)}>
          Use a pairing code instead
        </Button>
      </div>
    );
  }
  return (
    <Form onSubmit={() => void ask.run()} error={ask.error.value} label="Pairing code">
      <TextField
        label="Phone number of the account"
        type="tel"
        autofocus
        required
        placeholder="+1 555 123 4567"
        pattern="\+?[\d\s\(\)\-]{7,24}"
        hint="With the country code."
        value={number.value}
        onValue={(value) => {
          number.value = value;
        }}
      />
      <div>
        <Button type="submit" kind="primary" busy={ask.busy.value}>
          Get a pairing code
        </Button>
      </div>
    </Form>
  );
}
