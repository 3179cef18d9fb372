import type { ConnectionStatus } from '../../lib/contracts/entities.ts';
import type { Tone } from './tone.ts';

export interface StatusWords {
  label: string;
  tone: Tone;
  /** it changes by itself */
  busy: boolean;
  /** what it means */
  meaning: string;
  /** what a person can do about it; null = nothing needs to be done */
  advice: string | null;
}

const words = (
  tone: Tone,
  label: string,
  meaning: string,
  advice: string | null = null,
  busy = false,
): StatusWords => ({
  label,
  tone,
  busy,
  meaning,
  advice,
});

/** Every status of a connection in human words; the reason of the moment comes from the API beside it. */
const WORDS: Record<ConnectionStatus, StatusWords> = {
  created: words('idle', 'Created', 'It has not been started yet.', 'Start it to pair it with a phone.'),
  connecting: words('info', 'Connecting', 'Castellan is connecting to WhatsApp.', null, true),
  awaiting_pairing: words(
    'info',
    'Waiting for the phone',
    'WhatsApp waits for the phone to link this device.',
    'Scan the QR code or type the pairing code on the phone.',
    true,
  ),
  open: words('ok', 'Connected', 'Messages come and go.'),
  reconnecting: words(
    'warn',
    'Reconnecting',
    'The connection broke; Castellan brings it back by itself. What you send meanwhile is queued.',
    null,
    true,
  ),
  stopped: words('idle', 'Stopped', 'It was stopped on request. The login is kept.', 'Start it to go on where it was.'),
  qr_expired: words('warn', 'Code expired', 'Nobody paired it in time.', 'Start it for a new code.'),
  needs_pairing: words(
    'warn',
    'Needs pairing',
    'The login is no longer good for WhatsApp.',
    'Start it and pair it anew.',
  ),
  logged_out: words(
    'bad',
    'Logged out',
    'The phone or WhatsApp removed this device.',
    'Start it and pair it anew; its messages and webhooks stay.',
  ),
  conflict: words(
    'bad',
    'Conflict',
    'Another login uses the same credentials, so that the two throw each other out.',
    'End the other one (an old server, a copied folder), then start this one.',
  ),
  restricted: words(
    'warn',
    'Restricted',
    'WhatsApp does not let the account send for a while.',
    'Wait. Castellan goes on by itself when the time is over; what you send is queued.',
    true,
  ),
  locked: words(
    'bad',
    'Locked',
    'WhatsApp locked the account, or its phone has not been seen for too long.',
    'Open WhatsApp on the phone and follow what it says, then start it.',
  ),
  outdated: words(
    'bad',
    'Outdated',
    'WhatsApp refuses this version of the client.',
    'Update Castellan; the login is kept.',
  ),
  banned: words(
    'bad',
    'Banned',
    'WhatsApp banned the account.',
    'Ask WhatsApp for a review in the app on the phone. Castellan cannot lift it.',
  ),
  quarantined: words(
    'bad',
    'Quarantined',
    'The stored login cannot be read, so it was left untouched.',
    'Check ENCRYPTION_KEY and the store; the operator finds the reason in the log.',
  ),
  failed: words(
    'bad',
    'Failed',
    'WhatsApp refused the connection for good.',
    'Look at the reason, then start it again.',
  ),
};

/** @returns words also for a status that this page does not know yet */
export function statusWords(status: string): StatusWords {
  return Object.hasOwn(WORDS, status)
    ? WORDS[status as ConnectionStatus]
    : words('idle', status.replaceAll('_', ' '), 'A status that this page does not know yet.');
}

export const CONNECTION_STATUSES = Object.keys(WORDS) as ConnectionStatus[];
