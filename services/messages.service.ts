import type { ServiceSchema } from 'moleculer';
import { type ChatsActions, chatsContract } from '../lib/contracts/chats.contract.ts';
import { type MessagesActions, messagesContract } from '../lib/contracts/messages.contract.ts';
import { requireCaller } from '../lib/contracts/scope.ts';
import { type SessionNodeActions, sessionNodeContract } from '../lib/contracts/session-node.contract.ts';
import { createMessaging } from '../lib/messaging/messaging.ts';
import type { Runtime } from '../lib/runtime.ts';
import { type CallContext, defineService } from '../mixins/define-service.ts';
import { createOwnerRouting } from '../mixins/owner-routing.mixin.ts';

/** above what a session-node itself waits for WhatsApp */
const LOOKUP_TIMEOUT_MS = 3_000;

/** Messages and the jobs that send them. */
export default function messagesService(runtime: Runtime): ServiceSchema {
  const messaging = createMessaging(runtime);
  const { callOwner, wakeOutbox } = createOwnerRouting({ ...runtime, timeoutMs: LOOKUP_TIMEOUT_MS });
  const { log } = runtime;

  async function askForLid(ctx: CallContext, connectionId: string, pn: string): Promise<string | null> {
    try {
      const { name } = sessionNodeContract.lookup;
      return (await callOwner<SessionNodeActions['lookup']['result']>(ctx, connectionId, name, { connectionId, pn }))
        .lid;
    } catch (error) {
      log.debug({ connectionId, err: error }, 'nobody could say who goes by a number');
      return null;
    }
  }

  return defineService<MessagesActions & ChatsActions>({
    name: 'messages',
    contract: { ...messagesContract, ...chatsContract },
    actions: {
      async send(params, ctx) {
        const { message, sent } = await messaging.send(requireCaller(ctx.meta), params, {
          reservedUlid: ctx.meta.idempotency?.reservedUlid,
          askForLid: (pn) => askForLid(ctx, params.connectionId, pn),
          wakeOwner: () => wakeOutbox(ctx.broker, params.connectionId),
        });
        ctx.meta.$statusCode = sent ? 200 : 202;
        return message;
      },
      list: (query, ctx) => messaging.list(requireCaller(ctx.meta), query),
      get: ({ messageId }, ctx) => messaging.get(requireCaller(ctx.meta), messageId),
      jobList: (query, ctx) => messaging.jobList(requireCaller(ctx.meta), query),
      jobGet: ({ jobId }, ctx) => messaging.jobGet(requireCaller(ctx.meta), jobId),
      chatList: (query, ctx) => messaging.chats.list(requireCaller(ctx.meta), query),
      chatSeen: (chat, ctx) => messaging.chats.seen(requireCaller(ctx.meta), chat),
      jobCancel: ({ jobId }, ctx) => messaging.jobCancel(requireCaller(ctx.meta), jobId),
    },
  });
}
