import { statusWords } from '../../components/status-words.ts';
import type { Advice } from './failure-reason.ts';

/** What the API said to a request to send. `type` is of its catalogue, or OFFLINE where no answer came. */
export interface Refusal {
  type: string;
  message: string;
  /** the connection's, where its state is the reason */
  status?: string;
}

const BY_TYPE: Readonly<Record<string, Advice>> = {
  OFFLINE: yes('Castellan did not answer.', 'It may have been stored: retrying is safe and sends it once.'),
  OUTCOME_UNKNOWN: yes('It is not known whether it was stored.', 'Retrying is safe and sends it once.'),
  TOO_MANY_REQUESTS: yes('Too many requests.', 'Wait a moment, then retry.'),
  INVALID_RECIPIENT: no('This is no phone number and no WhatsApp id.', 'Write the number with its country code.'),
  NOT_FOUND: no('The connection is gone.', 'Choose another one.'),
  LOGGED_OUT: no('The account is logged out, banned or locked.', 'Open the connection’s page to see what can be done.'),
  UNAUTHORIZED: no('You are signed out.', 'Sign in again, then retry; the text is kept.'),
};

/** @returns why the API did not take a message, and what to do */
export function adviceForRefusal({ type, message, status }: Refusal): Advice {
  if (status !== undefined) {
    const { label, meaning, advice } = statusWords(status);
    return no(`The connection cannot send: ${label}.`, `${meaning} ${advice ?? 'Retry in a moment.'}`);
  }
  if (Object.hasOwn(BY_TYPE, type)) return BY_TYPE[type] as Advice;
  return yes(message, 'Retry; it is sent once.');
}

function yes(why: string, whatToDo: string): Advice {
  return { why, whatToDo, retry: true };
}

/** Retrying is offered all the same, because the cause can be mended meanwhile; this only says that it is not enough. */
function no(why: string, whatToDo: string): Advice {
  return { why, whatToDo, retry: false };
}
