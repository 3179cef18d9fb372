import type { Caller } from '../contracts/action.ts';
import type { Message, Page, QueueJob } from '../contracts/entities.ts';
import type { MessagesActions } from '../contracts/messages.contract.ts';
import type { PageParams } from '../contracts/params.ts';
import { found, scopeFilter } from '../contracts/scope.ts';
import type { ConnectionDoc, JobDoc, MessageDoc } from '../storage/collections.ts';
import { findPage } from '../storage/page.ts';
import type { Filter, Store } from '../storage/port.ts';
import type { Vault } from '../storage/vault.ts';
import type { Identities } from './identities.ts';
import { JOBS_COLLECTION, MESSAGES_COLLECTION, openContent, toMessage, toQueueJob } from './message-view.ts';
import { parseRecipient } from './recipients.ts';

type ListParams = MessagesActions['list']['params'];
type JobListParams = MessagesActions['jobList']['params'];

export interface QueriesOptions {
  store: Store;
  vault: Vault;
  identities: Identities;
}

/**
 * Reading messages and jobs, each tenant its own. Lists run newest first, by the time they came here: WhatsApp's own
 * times have whole seconds, and what was sent while this connection was offline would turn up in the middle of a page
 * that a client has read already.
 */
export interface Queries {
  /** @throws NOT_FOUND for another's connection, INVALID_RECIPIENT when `chatId` is no id, BAD_REQUEST for a foreign cursor */
  list(caller: Caller, params: ListParams): Promise<Page<Message>>;
  /** @throws NOT_FOUND */
  get(caller: Caller, messageId: string): Promise<Message>;
  /** @throws NOT_FOUND for another's connection */
  jobList(caller: Caller, params: JobListParams): Promise<Page<QueueJob>>;
  /** @throws NOT_FOUND */
  jobGet(caller: Caller, jobId: string): Promise<QueueJob>;
}

export function createQueries({ store, vault, identities }: QueriesOptions): Queries {
  const messages = store.collection<MessageDoc>(MESSAGES_COLLECTION);
  const connections = store.collection<ConnectionDoc>('connections');
  const jobs = store.collection<JobDoc>(JOBS_COLLECTION);
  const view = (doc: MessageDoc) => toMessage(doc, openContent(vault, doc));

  /** The chat under every id that it may go by. */
  async function chatFilter(caller: Caller, { chatId, connectionId }: ListParams): Promise<Filter> {
    if (chatId === undefined) return {};
    const { id } = parseRecipient(chatId);
    const scope = { ...(connectionId !== undefined && { connectionId }), ...scopeFilter(caller) };
    return { chatId: { $in: await identities.formsOf(id, scope) } };
  }

  /** A filter by another tenant's connection is 404, as everywhere: an empty list would say that it is one's own. */
  async function assertVisible(caller: Caller, connectionId: string | undefined): Promise<void> {
    if (connectionId === undefined) return;
    found(await connections.findOne({ _id: connectionId, deletedAt: null, ...scopeFilter(caller) }));
  }

  return {
    async list(caller, params) {
      await assertVisible(caller, params.connectionId);
      const filter = {
        ...scopeFilter(caller),
        ...pick(params, ['connectionId', 'direction', 'status']),
        ...(await chatFilter(caller, params)),
      };
      return findPage(messages, filter, 'createdAt', pageOf(params), view);
    },

    async get(caller, messageId) {
      return view(found(await messages.findOne({ _id: messageId, ...scopeFilter(caller) })));
    },

    async jobList(caller, params) {
      await assertVisible(caller, params.connectionId);
      const filter = { ...scopeFilter(caller), ...pick(params, ['connectionId', 'status']) };
      return findPage(jobs, filter, 'createdAt', pageOf(params), toQueueJob);
    },

    async jobGet(caller, jobId) {
      return toQueueJob(found(await jobs.findOne({ _id: jobId, ...scopeFilter(caller) })));
    },
  };
}

function pageOf({ limit, after }: PageParams): PageParams {
  return { ...(limit !== undefined && { limit }), ...(after !== undefined && { after }) };
}

function pick<T extends object, K extends keyof T & string>(from: T, fields: readonly K[]): Filter {
  return Object.fromEntries(
    fields.filter((field) => from[field] !== undefined).map((field) => [field, from[field]]),
  ) as Filter;
}
