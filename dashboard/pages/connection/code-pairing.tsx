import type { RemoteAuth } from '../../../lib/contracts/entities.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { TimeLeft } from './time-left.tsx';

/** The pairing code, to be typed on the phone. */
export function CodePairing({ auth }: { auth: RemoteAuth }) {
  const code = auth.pairingCode ?? '';
  return (
    <div class="pairing">
      <div class="stack tight">
        <p class="pairing-code">
          <span class="sr-only">Pairing code: {[...code].join(' ')}</span>
          <span aria-hidden="true">
            {code.slice(0, 4)}-{code.slice(4)}
          </span>
        </p>
        <div class="row">
          <CopyButton text={code} label="Copy the code" iconOnly={false} />
        </div>
        <TimeLeft key={code} until={auth.expiresAt} what="It ends" />
      </div>
      <ol class="steps">
        <li>
          Open WhatsApp on the phone, then <strong>Settings</strong> and <strong>Linked devices</strong>.
        </li>
        <li>
          Tap <strong>Link a device</strong>, then <strong>Link with phone number instead</strong>.
        </li>
        <li>Type this code. This page says so when the phone took it.</li>
      </ol>
    </div>
  );
}
