import type { Service, ServiceBroker, ServiceSchema } from 'moleculer';
import { notFound } from '../lib/contracts/scope.ts';
import { type NodeInfo, type SessionNodeActions, sessionNodeContract } from '../lib/contracts/session-node.contract.ts';
import { errorType } from '../lib/errors.ts';
import { createOutbox } from '../lib/messaging/outbox.ts';
import type { Runtime } from '../lib/runtime.ts';
import { createConnectionManager } from '../lib/session/connection-manager.ts';
import type { Peers } from '../lib/session/peers.port.ts';
import { listWorkers } from '../lib/session/worker-list.ts';
import { type CallContext, defineService } from '../mixins/define-service.ts';

/** What the starter uses of the running service. */
export interface SessionNodeService extends Service {
  info(): NodeInfo;
  /** Hands everything over; begins nothing any more. Once. */
  drain(): Promise<void>;
}

interface ById {
  connectionId: string;
}

/** Runs connections: the actors of this node and the loop that keeps them in step with the rows. */
export default function sessionNodeService(runtime: Runtime): ServiceSchema {
  const { store, owner } = runtime;
  let broker: ServiceBroker | null = null;
  let started: Promise<void> = Promise.resolve();
  const manager = createConnectionManager({
    ...runtime,
    timings: runtime.config.timings,
    createOutbox: (options) => createOutbox({ ...runtime, ...options }),
    peers: createPeers(() => broker),
  });

  /** A call about a connection that reached a node which does not run it goes on to the node of the ring, once. */
  async function whereItRuns<T>(ctx: CallContext, action: string, params: ById, here: () => Promise<T>): Promise<T> {
    const place = manager.placeOf(params.connectionId);
    if (manager.runs(params.connectionId) || place === null || place === owner.nodeId || ctx.headers?.forwarded)
      return here();
    return (await ctx.call(action, params, { nodeID: place, headers: { forwarded: true } })) as T;
  }

  const base = defineService<SessionNodeActions>({
    name: 'session-node',
    contract: sessionNodeContract,
    actions: {
      wake: (params, ctx) =>
        whereItRuns(ctx, sessionNodeContract.wake.name, params, async () => ({
          running: await manager.wake(params.connectionId, params.reason),
        })),
      release: async ({ connectionId }) => ({ released: await manager.release(connectionId) }),
      reserve: () => ({ waitMs: manager.reserve() }),
      offer: ({ connectionId }) => ({ accepted: manager.offer(connectionId) }),
      async arrival({ connectionId }) {
        await manager.arrival(connectionId);
        return { running: manager.runs(connectionId) };
      },
      pairingCode: (params, ctx) =>
        whereItRuns(ctx, sessionNodeContract.pairingCode.name, params, () =>
          manager.requestPairingCode(params.connectionId, params.phoneNumber),
        ),
      logout: (params, ctx) =>
        whereItRuns(ctx, sessionNodeContract.logout.name, params, async () => {
          await manager.logout(params.connectionId);
          return { loggedOut: true };
        }),
      async lookup({ connectionId, pn }) {
        const found = await manager.lookup(connectionId, pn);
        return { onWhatsApp: found !== null, lid: found?.lid ?? null };
      },
      info: () => manager.info(),
      nodes: () => ({ items: manager.nodes(), next: null }),
      workers: (query) => listWorkers(store, query),
      drain: ({ nodeId, draining = true }, ctx) => {
        if (nodeId === owner.nodeId) return manager.setAside(draining);
        return callNode(ctx, nodeId, draining);
      },
    },
    started: () => started,
    stopped: () => manager.drain(),
  });

  return {
    ...base,
    created(this: Service) {
      broker = this.broker;
      /* sessions wait for stores, not for the bus, which takes half a second to look around */
      started = manager.start();
      started.catch(() => undefined);
    },
    methods: { info: () => manager.info(), drain: () => manager.drain() },
  };
}

/** A node that does not answer at once is passed over: somebody else may take the session sooner. */
const PEER_TIMEOUT_MS = 300;
/** above what the other waits itself */
const ARRIVAL_TIMEOUT_MS = 4_000;

function createPeers(broker: () => ServiceBroker | null): Peers {
  async function ask<T>(nodeID: string, action: string, params: object, timeout = PEER_TIMEOUT_MS): Promise<T | null> {
    try {
      return (await broker()?.call(action, params, { nodeID, timeout })) as T;
    } catch {
      return null;
    }
  }
  return {
    async reserve(nodeId) {
      const { name } = sessionNodeContract.reserve;
      return (await ask<SessionNodeActions['reserve']['result']>(nodeId, name, {}))?.waitMs ?? null;
    },
    async offer(nodeId, connectionId) {
      const { name } = sessionNodeContract.offer;
      return (await ask<SessionNodeActions['offer']['result']>(nodeId, name, { connectionId }))?.accepted ?? false;
    },
    async arrival(nodeId, connectionId) {
      await ask(nodeId, sessionNodeContract.arrival.name, { connectionId }, ARRIVAL_TIMEOUT_MS);
    },
  };
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
