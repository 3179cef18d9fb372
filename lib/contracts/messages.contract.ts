import { defineActions } from './action.ts';
import {
  JOB_STATUSES,
  type JobStatus,
  MESSAGE_STATUSES,
  type Message,
  type MessageStatus,
  type Page,
  type QueueJob,
} from './entities.ts';
import { id, oneOf, optional, type PageParams, page } from './params.ts';

export type SendContent = string | { type: string; text?: string };

export interface SendParams {
  connectionId: string;
  content: SendContent;
  to?: string;
  wait?: 'queued' | 'sent';
  /** how long to wait with `wait: "sent"`, milliseconds */
  timeoutMs?: number;
  /** ISO 8601 with time zone; not before then */
  sendAt?: string;
  onUnknown?: 'resend' | 'park';
}

export interface MessagesActions {
  send: { params: SendParams; result: Message };
  list: {
    params: PageParams & {
      connectionId?: string;
      chatId?: string;
      direction?: Message['direction'];
      status?: MessageStatus;
    };
    result: Page<Message>;
  };
  get: { params: { messageId: string }; result: Message };
  jobList: { params: PageParams & { connectionId?: string; status?: JobStatus }; result: Page<QueueJob> };
  jobGet: { params: { jobId: string }; result: QueueJob };
  jobCancel: { params: { jobId: string }; result: QueueJob };
}

export const SEND_TIMEOUT_MS = { min: 100, max: 60_000, default: 15_000 } as const;
/** beyond the text's own limit, which is checked with its own error */
const CONTENT_MAX = 1_000_000;

const connectionId = id('connection');
const messageId = id('message');
const jobId = id('job');
/* what it must look like is checked by parseRecipient, with its own error */
const recipient = { type: 'string', max: 1024 } as const;
/* empty and too long text are refused by the messaging layer, other types of content as UNSUPPORTED_CONTENT */
const body = { type: 'string', max: CONTENT_MAX } as const;
const content = {
  type: 'multi',
  rules: [
    body,
    { type: 'object', props: { type: { type: 'equal', value: 'text', strict: true }, text: body } },
    { type: 'object', strict: false, props: { type: { type: 'string', max: 64, pattern: /^(?!text$)/ } } },
  ],
} as const;
const isoTime = {
  type: 'string',
  pattern: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/,
} as const;

export const messagesContract = defineActions({
  send: {
    name: 'messages.send',
    summary: 'Send a message: durable before the answer; with wait "sent" after WhatsApp has it',
    rest: 'POST /message/send',
    auth: 'user',
    params: {
      connectionId,
      content,
      to: optional(recipient),
      wait: optional(oneOf(['queued', 'sent'])),
      timeoutMs: {
        type: 'number',
        integer: true,
        min: SEND_TIMEOUT_MS.min,
        max: SEND_TIMEOUT_MS.max,
        optional: true,
      },
      sendAt: optional(isoTime),
      onUnknown: optional(oneOf(['resend', 'park'])),
    },
    status: 202,
    alsoStatuses: [200],
    result: 'Message',
    errors: [
      'INVALID_RECIPIENT',
      'UNSUPPORTED_CONTENT',
      'WRONG_STATE',
      'LOGGED_OUT',
      'NOT_ON_WHATSAPP',
      'REJECTED_BY_WHATSAPP',
      'OUTCOME_UNKNOWN',
    ],
    idempotent: true,
  },
  list: {
    name: 'messages.list',
    summary: 'List messages, newest first',
    rest: 'GET /message/list',
    auth: 'user',
    params: {
      connectionId: optional(connectionId),
      chatId: optional(recipient),
      direction: optional(oneOf(['inbound', 'outbound'])),
      status: optional(oneOf(MESSAGE_STATUSES)),
      ...page,
    },
    query: ['connectionId', 'chatId', 'direction', 'status', 'limit', 'after'],
    result: 'MessagePage',
    errors: ['INVALID_RECIPIENT'],
  },
  get: {
    name: 'messages.get',
    summary: 'Get a message',
    rest: 'GET /message/:messageId',
    auth: 'user',
    params: { messageId },
    result: 'Message',
  },
  jobList: {
    name: 'messages.jobList',
    summary: 'List jobs, newest first',
    rest: 'GET /job/list',
    auth: 'user',
    params: { connectionId: optional(connectionId), status: optional(oneOf(JOB_STATUSES)), ...page },
    query: ['connectionId', 'status', 'limit', 'after'],
    result: 'QueueJobPage',
  },
  jobGet: {
    name: 'messages.jobGet',
    summary: 'Get a job',
    rest: 'GET /job/:jobId',
    auth: 'user',
    params: { jobId },
    result: 'QueueJob',
  },
  jobCancel: {
    name: 'messages.jobCancel',
    summary: 'Cancel a job that nobody has begun',
    rest: 'POST /job/:jobId/cancel',
    auth: 'user',
    params: { jobId },
    result: 'QueueJob',
    errors: ['WRONG_STATE'],
  },
});
