import type { Advice } from './failure-reason.ts';

/** What the API said to a request to send. `type` is of its catalogue, or NETWORK where no answer came. */
export interface Refusal {
  type: string;
  message: string;
  /** the connection's, where its state is the reason */
  status?: string;
}

const PAIR_ANEW = 'Open the connection’s page and pair it with the phone again.';

const BY_STATUS: Readonly<Record<string, Advice>> = {
  created: no('The connection was never started.', 'Start it on its page and pair it with the phone.'),
  awaiting_pairing: no('The connection waits to be paired.', 'Scan its QR code with the phone, then retry.'),
  qr_expired: no('Nobody paired the connection in time.', 'Start it again on its page and scan the new code.'),
  stopped: no('The connection is stopped.', 'Start it on its page, then retry.'),
  logged_out: no('WhatsApp logged this device out.', PAIR_ANEW),
  banned: no('WhatsApp banned the account.', 'Ask WhatsApp for a review in the app on the phone.'),
  locked: no('WhatsApp locked the account, or its phone is gone.', 'Look at the app on the phone.'),
  conflict: no('Another login with the same credentials took the account over.', 'End the other one, then start this.'),
  outdated: no('WhatsApp refuses this version of the client.', 'Update Castellan.'),
};

const BY_TYPE: Readonly<Record<string, Advice>> = {
  NETWORK: yes('Castellan did not answer.', 'It may have been stored: retrying is safe and sends it once.'),
  OUTCOME_UNKNOWN: yes('It is not known whether it was stored.', 'Retrying is safe and sends it once.'),
  TOO_MANY_REQUESTS: yes('Too many requests.', 'Wait a moment, then retry.'),
  INVALID_RECIPIENT: no('This is no phone number and no WhatsApp id.', 'Write the number with its country code.'),
  NOT_FOUND: no('The connection is gone.', 'Choose another one.'),
  LOGGED_OUT: no('The account is logged out, banned or locked.', PAIR_ANEW),
  UNAUTHORIZED: no('You are signed out.', 'Sign in again; the text stays here until you leave the page.'),
};

/** @returns why the API did not take a message, and what to do */
export function adviceForRefusal({ type, message, status }: Refusal): Advice {
  if (status !== undefined && Object.hasOwn(BY_STATUS, status)) return BY_STATUS[status] as Advice;
  if (Object.hasOwn(BY_TYPE, type)) return BY_TYPE[type] as Advice;
  return yes(message, 'Retry; it is sent once.');
}

function yes(why: string, whatToDo: string): Advice {
  return { why, whatToDo, retry: true };
}

/** Retrying is offered all the same where the cause can be mended meanwhile; this only says that it is not enough. */
function no(why: string, whatToDo: string): Advice {
  return { why, whatToDo, retry: false };
}
