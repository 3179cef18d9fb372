import type { Party } from '../contracts/entities.ts';
import { CastellanError, errorType, isErrorType } from '../errors.ts';
import type { ServerAck } from '../session/ports.ts';
import type { JobDoc, MessageDoc } from '../storage/collections.ts';
import { identitiesOf, partyOf } from './identities.ts';
import { openContent } from './message-view.ts';
import type { OutboxOptions } from './outbox.port.ts';
import { createSettlement, type Verdict } from './outbox-settle.ts';
import { isAccepted } from './status.ts';

/** `closed`: the socket or the activation is gone, nothing more can be sent; `again`: not finished, try later. */
export type SendOutcome = 'finished' | 'again' | 'closed';

export interface JobSender {
  /** Takes one job as far as it goes. Never throws. */
  process(job: JobDoc, message: MessageDoc): Promise<SendOutcome>;
}

/** An error that is neither WhatsApp's answer nor the socket's end: after so many the message fails, and frees its chat. */
const MAX_FAILURES = 5;

const OTHER_ACCOUNT = {
  type: 'LOGGED_OUT',
  message: 'The connection was paired with another account before this could be sent.',
};

type Unsent = { type: 'NOT_ON_WHATSAPP' };
type Target = { waId: string; learned: Partial<MessageDoc> } | Unsent;

export interface JobSenderOptions extends OutboxOptions {
  /** WhatsApp answered a message of this chat: accepted it (null) or refused it with a code */
  onAnswer(chatId: string, waCode: number | null): void;
  isStopping(): boolean;
}

export function createJobSender(options: JobSenderOptions): JobSender {
  const { store, vault, clock, log, connection, socket, onAnswer, isStopping, account } = options;
  const identities = identitiesOf(store);
  const { settle } = createSettlement(options);
  /** by job: how often it failed on this socket */
  const failures = new Map<string, number>();

  /** The chat as WhatsApp wants it addressed: by LID where there is one. Asks WhatsApp about numbers never met. */
  async function targetOf(message: MessageDoc): Promise<Target> {
    const { chatId, to } = message;
    if (to.lid === null && to.pn === null) return { waId: chatId, learned: {} };
    const lid = to.lid ?? (await identities.find(connection.connectionId, to.pn ?? chatId))?.lid;
    if (lid) return { waId: lid, learned: {} };
    const found = await socket.lookup(to.pn as string).catch(nothingLeft);
    if (!found) return { type: 'NOT_ON_WHATSAPP' };
    const person = await identities.meet(connection, { lid: found.lid, pn: to.pn });
    return { waId: person.lid ?? (to.pn as string), learned: { to: { ...partyOf(person, to.name), id: to.id } } };
  }

  function verdictOf({ waCode }: ServerAck): Verdict {
    if (waCode === null) return { job: 'completed' };
    const message = `WhatsApp refused the message with code ${waCode}.`;
    return { job: 'failed', error: { type: 'REJECTED_BY_WHATSAPP', message, waCode } };
  }

  async function send(job: JobDoc, message: MessageDoc): Promise<SendOutcome> {
    const target = await targetOf(message);
    if ('type' in target) {
      const error = { type: target.type, message: 'The number is not on WhatsApp.' };
      await settle(job, message, { job: 'failed', error });
      return 'finished';
    }
    const { waMessageId, _id: messageId } = message;
    const content = openContent(vault, message);
    const request = { jobId: job._id, messageId, waMessageId, chatId: target.waId, content };
    const ack = await socket.send(request);
    onAnswer(message.chatId, ack.waCode);
    await settled(() => settle(job, message, verdictOf(ack), target.learned));
    return 'finished';
  }

  /** WhatsApp has answered: the answer is kept until the store takes it, or this process ends. */
  async function settled(write: () => Promise<void>): Promise<void> {
    for (let delayMs = 100; ; delayMs = Math.min(delayMs * 2, 5_000)) {
      try {
        return await write();
      } catch (error) {
        if (!isErrorType(error, 'STORE_UNAVAILABLE') || isStopping()) throw error;
        log.warn({ err: error }, 'cannot store the outcome of a send yet');
        await new Promise<void>((resolve) => clock.after(delayMs, resolve));
      }
    }
  }

  async function afterFailure(job: JobDoc, message: MessageDoc, error: unknown): Promise<SendOutcome> {
    const type = errorType(error);
    if (type === 'SESSION_FENCED' || type === 'STORE_UNAVAILABLE') return 'closed';
    if (type === 'CONNECTION_CLOSED') return afterClose(job, message, error);
    const count = (failures.get(job._id) ?? 0) + 1;
    failures.set(job._id, count);
    log.error({ err: error, jobId: job._id, count }, 'a message could not be sent');
    if (count < MAX_FAILURES) return 'again';
    const failure = { type: 'INTERNAL_ERROR', message: 'The message could not be sent.' };
    await settle(job, message, { job: 'failed', error: failure });
    return 'finished';
  }

  async function afterClose(job: JobDoc, message: MessageDoc, error: unknown): Promise<SendOutcome> {
    if (neverLeft(error) && message.status === 'queued') await settle(job, message, { job: 'pending' });
    else if (job.onUnknown === 'park') await settle(job, message, { job: 'parked' });
    return 'closed';
  }

  async function begin(job: JobDoc, message: MessageDoc): Promise<SendOutcome> {
    // A receipt has proved what a lost ack could not.
    if (isAccepted(message.status)) {
      await settle(job, message, { job: 'completed' });
      return 'finished';
    }
    if (account && !isSameAccount(account, message.from)) {
      await settle(job, message, { job: 'failed', error: OTHER_ACCOUNT });
      return 'finished';
    }
    // `sending` is set by the durable claim of an earlier attempt, whose outcome nobody knows.
    if (message.status === 'sending' && job.onUnknown === 'park') {
      await settle(job, message, { job: 'parked' });
      return 'finished';
    }
    return send(job, message);
  }

  return {
    async process(job, message) {
      const outcome = await begin(job, message)
        .catch((error: unknown) => afterFailure(job, message, error))
        .catch((error: unknown) => {
          log.warn({ err: error, jobId: job._id }, 'cannot store the outcome of a send');
          return 'closed' as const;
        });
      if (outcome === 'finished') failures.delete(job._id);
      return outcome;
    },
  };
}

/** By either name: a login may have learnt its LID since. */
function isSameAccount(a: Party, b: Party): boolean {
  return a.id === b.id || (a.lid !== null && a.lid === b.lid) || (a.pn !== null && a.pn === b.pn);
}

function neverLeft(error: unknown): boolean {
  const data = (error as { data?: { claimed?: boolean } }).data;
  return data?.claimed === false;
}

/** The socket ended while WhatsApp was only being asked. */
function nothingLeft(error: unknown): never {
  if (isErrorType(error, 'CONNECTION_CLOSED'))
    throw new CastellanError('CONNECTION_CLOSED', undefined, { claimed: false });
  throw error;
}
