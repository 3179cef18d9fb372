import type { ServiceSchema } from 'moleculer';
import { createConnections } from '../lib/connections/connections.ts';
import { qrPng, qrSvg, qrText } from '../lib/connections/qr-picture.ts';
import { type ConnectionsActions, connectionsContract } from '../lib/contracts/connections.contract.ts';
import { requireCaller } from '../lib/contracts/scope.ts';
import { sessionNodeContract } from '../lib/contracts/session-node.contract.ts';
import type { Runtime } from '../lib/runtime.ts';
import { type CallContext, defineService } from '../mixins/define-service.ts';
import { createOwnerRouting } from '../mixins/owner-routing.mixin.ts';

/** Connections: what a person wants of them; the session-nodes do it. */
export default function connectionsService(runtime: Runtime): ServiceSchema {
  const connections = createConnections(runtime);
  const { callOwner, wake } = createOwnerRouting(runtime);

  /** Writes what is wanted, wakes the owner, answers what is there now. */
  function steer(write: 'start' | 'stop' | 'restart') {
    return async ({ connectionId }: { connectionId: string }, ctx: CallContext) => {
      const caller = requireCaller(ctx.meta);
      await connections[write](caller, connectionId);
      await wake(ctx.broker, connectionId);
      return connections.get(caller, connectionId);
    };
  }

  return defineService<ConnectionsActions>({
    name: 'connections',
    contract: connectionsContract,
    actions: {
      async create(params, ctx) {
        const caller = requireCaller(ctx.meta);
        const created = await connections.create(caller, params, ctx.meta.idempotency?.reservedUlid);
        const { connectionId, desiredState } = created;
        if (desiredState !== 'running') return created;
        await wake(ctx.broker, connectionId);
        return connections.get(caller, connectionId);
      },
      list: (query, ctx) => connections.list(requireCaller(ctx.meta), query),
      get: ({ connectionId }, ctx) => connections.get(requireCaller(ctx.meta), connectionId),
      history: ({ connectionId, ...page }, ctx) => connections.history(requireCaller(ctx.meta), connectionId, page),
      start: steer('start'),
      stop: steer('stop'),
      restart: steer('restart'),
      async logout({ connectionId }, ctx) {
        const caller = requireCaller(ctx.meta);
        await connections.get(caller, connectionId);
        await callOwner(ctx, connectionId, sessionNodeContract.logout.name, { connectionId }, true);
        return connections.get(caller, connectionId);
      },
      async remove({ connectionId }, ctx) {
        const last = await connections.remove(requireCaller(ctx.meta), connectionId);
        await wake(ctx.broker, connectionId);
        return last;
      },
      auth: ({ connectionId }, ctx) => connections.auth(requireCaller(ctx.meta), connectionId),
      qrPng: async ({ connectionId, size }, ctx) =>
        qrPng(await connections.qr(requireCaller(ctx.meta), connectionId), size),
      qrSvg: async ({ connectionId }, ctx) => qrSvg(await connections.qr(requireCaller(ctx.meta), connectionId)),
      qrText: async ({ connectionId }, ctx) => qrText(await connections.qr(requireCaller(ctx.meta), connectionId)),
      async pairingCode({ connectionId, phoneNumber }, ctx) {
        await connections.get(requireCaller(ctx.meta), connectionId);
        const asked = { connectionId, phoneNumber };
        return callOwner(ctx, connectionId, sessionNodeContract.pairingCode.name, asked, true);
      },
    },
  });
}
