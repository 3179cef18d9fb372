import type { ServiceSchema } from 'moleculer';
import { type SessionNodeActions, sessionNodeContract } from '../lib/contracts/session-node.contract.ts';
import { createOutbox } from '../lib/messaging/outbox.ts';
import type { Runtime } from '../lib/runtime.ts';
import { createConnectionManager } from '../lib/session/connection-manager.ts';
import { defineService } from '../mixins/define-service.ts';

/** Runs connections: the actors of this node and the loop that keeps them in step with the rows. */
export default function sessionNodeService(runtime: Runtime): ServiceSchema {
  const manager = createConnectionManager({
    ...runtime,
    createOutbox: (options) => createOutbox({ ...runtime, ...options }),
  });

  return defineService<SessionNodeActions>({
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
      workers: async () => ({ items: await manager.workers(), next: null }),
    },
    started: () => manager.start(),
    stopped: () => manager.drain(),
  });
}
