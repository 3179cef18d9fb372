import type { Message, MessageError } from '../../../lib/contracts/entities.ts';

/** Why a message did not go out, and what somebody can do about it. */
export interface Advice {
  why: string;
  whatToDo: string;
  /** sending again can help */
  retry: boolean;
}

const REACH_OUT_RESTRICTION = 463;

const SENT_BUT_FAILED: Readonly<Record<string, Advice>> = {
  NOT_ON_WHATSAPP: {
    why: 'This number is not on WhatsApp.',
    whatToDo: 'Check the number with its country code and without a leading 0, or reach the person another way.',
    retry: false,
  },
  REJECTED_BY_WHATSAPP: {
    why: 'WhatsApp refused the message.',
    whatToDo: 'Wait some minutes and retry once. If it is refused again, look at the account on its phone.',
    retry: true,
  },
  INTERNAL_ERROR: {
    why: 'Castellan could not send it after several attempts.',
    whatToDo: 'Retry. If it fails again, restart the connection and look at the log of its node.',
    retry: true,
  },
};

const RESTRICTED: Advice = {
  why: 'WhatsApp does not let this account begin new chats for now (code 463).',
  whatToDo: 'Chats in which the other side has written still work. Write here again in some hours, and more slowly.',
  retry: true,
};

/** @returns why a failed, parked or cancelled message is where it is; null for one that is under way or has arrived */
export function adviceFor(message: Pick<Message, 'status' | 'error'>): Advice | null {
  if (message.status === 'failed') return adviceForError(message.error);
  if (message.status === 'parked') {
    return {
      why: 'The connection broke while it was being sent; whether it arrived is not known.',
      whatToDo: 'Look at the chat on the phone. Sending again may deliver it twice.',
      retry: true,
    };
  }
  if (message.status !== 'cancelled') return null;
  return { why: 'It was cancelled before it was sent.', whatToDo: 'Send it again if it is still wanted.', retry: true };
}

function adviceForError(error: MessageError | null): Advice {
  if (error === null) return { why: 'It failed.', whatToDo: 'Retry.', retry: true };
  if (error.waCode === REACH_OUT_RESTRICTION) return RESTRICTED;
  const advice = Object.hasOwn(SENT_BUT_FAILED, error.type) ? SENT_BUT_FAILED[error.type] : undefined;
  if (!advice) return { why: error.message, whatToDo: 'Retry, or look at the connection.', retry: true };
  return error.waCode === undefined
    ? advice
    : { ...advice, why: `${advice.why} It answered with code ${error.waCode}.` };
}
