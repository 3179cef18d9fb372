import type { Clock } from '../clock.ts';
import type { Caller } from '../contracts/action.ts';
import type { Message } from '../contracts/entities.ts';
import { SEND_TIMEOUT_MS, type SendParams } from '../contracts/messages.contract.ts';
import { CastellanError, type ErrorType, isPublicErrorType } from '../errors.ts';
import type { EventLog } from '../events/event-log.port.ts';
import type { Log } from '../log.ts';
import type { MessageDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';
import { type AcceptSendOptions, createAcceptance } from './acceptance.ts';
import { type Chats, createChats } from './chats.ts';
import { identitiesOf } from './identities.ts';
import { type CancelJob, createJobCancel } from './job-cancel.ts';
import { openContent, toMessage } from './message-view.ts';
import { createQueries, type Queries } from './queries.ts';
import { createSendWaiter } from './send-waiter.ts';
import { isAccepted } from './status.ts';

export interface MessagingOptions {
  store: Store;
  events: EventLog;
  vault: Vault;
  clock: Clock;
  log: Log;
}

export interface SendOptions extends AcceptSendOptions {
  /** Called once it is durable: tells the owner of the connection. Losing it only delays. */
  wakeOwner?(): void;
}

export interface SendAnswer {
  message: Message;
  /** WhatsApp has it (200); otherwise it is on its way (202) */
  sent: boolean;
}

/** What the messages service does. */
export interface Messaging extends Queries {
  chats: Chats;
  /**
   * @throws what `acceptSend` throws; with `wait: "sent"` NOT_ON_WHATSAPP or REJECTED_BY_WHATSAPP, with the message's ids
   */
  send(caller: Caller, params: SendParams, options?: SendOptions): Promise<SendAnswer>;
  jobCancel: CancelJob;
}

export function createMessaging(options: MessagingOptions): Messaging {
  const { store, vault } = options;
  const parts = { ...options, identities: identitiesOf(store) };
  const acceptance = createAcceptance(parts);
  const waiter = createSendWaiter(options);

  function answerOf(doc: MessageDoc): SendAnswer {
    if (doc.status === 'failed') throw failureOf(doc);
    return { message: toMessage(doc, openContent(vault, doc)), sent: isAccepted(doc.status) };
  }

  return {
    ...createQueries(parts),
    chats: createChats(parts),
    jobCancel: createJobCancel(options),

    async send(caller, params, { wakeOwner, ...options } = {}) {
      const message = await acceptance.acceptSend(caller, params, options);
      wakeOwner?.();
      if (params.wait !== 'sent') return { message, sent: false };
      const settled = await waiter.waitUntilSettled(message.messageId, params.timeoutMs ?? SEND_TIMEOUT_MS.default);
      return settled ? answerOf(settled) : { message, sent: false };
    },
  };
}

function failureOf({ _id: messageId, jobId, error }: MessageDoc): CastellanError {
  const type: ErrorType = isPublicErrorType(error?.type) ? error.type : 'INTERNAL_ERROR';
  const waCode = error?.waCode === undefined ? {} : { waCode: error.waCode };
  return new CastellanError(type, error?.message, { messageId, jobId, ...waCode });
}
