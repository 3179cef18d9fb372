import type { Service, ServiceSchema } from 'moleculer';
import { notFound } from '../lib/contracts/scope.ts';
import { type NodeInfo, type SessionNodeActions, sessionNodeContract } from '../lib/contracts/session-node.contract.ts';
import { errorType } from '../lib/errors.ts';
import { createOutbox } from '../lib/messaging/outbox.ts';
import type { Runtime } from '../lib/runtime.ts';
import { createConnectionManager } from '../lib/session/connection-manager.ts';
import { listWorkers } from '../lib/session/worker-list.ts';
import { type CallContext, defineService } from '../mixins/define-service.ts';

/** What the starter uses of the running service. */
export interface SessionNodeService extends Service {
  health(): { sessions: number; open: number; draining: boolean; seatLost: boolean };
  /** Hands over what runs here and begins nothing more; resolves when nothing runs any more. Idempotent. */
  drain(): Promise<void>;
}

/** Runs connections: the actors of this node and the loop that keeps them in step with the rows. */
export default function sessionNodeService(runtime: Runtime): ServiceSchema {
  const { store, owner } = runtime;
  const manager = createConnectionManager({
    ...runtime,
    createOutbox: (options) => createOutbox({ ...runtime, ...options }),
  });

  let drained: Promise<void> | null = null;

  /** Once: a stop that follows a drain has nothing left to do. */
  function drain(): Promise<void> {
    drained ??= manager.drain();
    return drained;
  }

  function health() {
    const { connections: sessions, open, draining } = manager.info();
    return { sessions, open, draining, seatLost: false };
  }

  const service = defineService<SessionNodeActions>({
    name: 'session-node',
    contract: sessionNodeContract,
    actions: {
      wake: async ({ connectionId, reason }) => ({ running: await manager.wake(connectionId, reason) }),
      release: async ({ connectionId }) => ({ released: await manager.release(connectionId) }),
      pairingCode: ({ connectionId, phoneNumber }) => manager.requestPairingCode(connectionId, phoneNumber),
      async logout({ connectionId }) {
        await manager.logout(connectionId);
        return { loggedOut: true };
      },
      async lookup({ connectionId, pn }) {
        const found = await manager.lookup(connectionId, pn);
        return { onWhatsApp: found !== null, lid: found?.lid ?? null };
      },
      info: () => manager.info(),
      nodes: () => ({ items: [manager.info()], next: null }),
      workers: (query) => listWorkers(store, query),
      drain: ({ nodeId, draining = true }, ctx) => {
        if (nodeId === owner.nodeId) return manager.setAside(draining);
        return callNode(ctx, nodeId, draining);
      },
    },
    started: () => manager.start(),
    stopped: drain,
  });
  return { ...service, methods: { health, drain } };
}

/** A node is asked by its name. @throws NOT_FOUND when no such node runs sessions */
async function callNode(ctx: CallContext, nodeID: string, draining: boolean): Promise<NodeInfo> {
  const nobodyThere = ['SERVICE_NOT_FOUND', 'SERVICE_NOT_AVAILABLE'];
  try {
    return await ctx.call(sessionNodeContract.drain.name, { nodeId: nodeID, draining }, { nodeID });
  } catch (error) {
    throw nobodyThere.includes(errorType(error) ?? '') ? notFound() : error;
  }
}
