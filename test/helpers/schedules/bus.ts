import type { ConnectionManager } from '../../../lib/session/connection-manager.port.ts';
import type { Peers } from '../../../lib/session/peers.port.ts';
import type { LinkState } from './network.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { VirtualProcess } from './virtual-process.ts';

/* services/session-node.service.ts: a node that does not answer at once is passed over */
const PEER_TIMEOUT_MS = 300;
const ARRIVAL_TIMEOUT_MS = 4_000;
const LOSS = 0.03;

/** A node as others reach it. */
export interface BusNode {
  process: VirtualProcess;
  manager: Pick<ConnectionManager, 'reserve' | 'offer' | 'arrival'>;
  links: { bus: LinkState };
}

export interface Bus {
  timeline: Timeline;
  /** who listens under this name; null = nobody */
  nodeAt(nodeId: string): BusNode | null;
}

/** The other nodes as this one reaches them over the bus: a call or its answer may get lost, or come too late. */
export function createPeers(bus: Bus, process: VirtualProcess, random: Random, link: LinkState): Peers {
  const { timeline } = bus;

  function call<R>(
    nodeId: string,
    ask: (manager: BusNode['manager']) => R | Promise<R>,
    unanswered: R,
    timeoutMs = PEER_TIMEOUT_MS,
  ): Promise<R> {
    const { promise, resolve } = Promise.withResolvers<R>();
    const wayMs = () => random.between(0.5, 10) * (random.chance(0.05) ? 40 : 1);
    process.clock.after(timeoutMs, () => resolve(unanswered));
    const target = bus.nodeAt(nodeId);
    if (!target || link.requestsCut > 0 || random.chance(LOSS)) return promise;
    target.process.deliver(process.leavesAt + wayMs(), async () => {
      if (target.links.bus.requestsCut > 0) return;
      const answer = await ask(target.manager);
      if (random.chance(LOSS) || link.answersCut > 0) return;
      process.deliver(timeline.now + wayMs(), () => resolve(answer));
    });
    return promise;
  }

  return {
    reserve: (nodeId) => call(nodeId, (manager) => manager.reserve(), null),
    offer: (nodeId, connectionId) => call(nodeId, (manager) => manager.offer(connectionId), false),
    arrival: (nodeId, connectionId) =>
      call(nodeId, (manager) => manager.arrival(connectionId), undefined, ARRIVAL_TIMEOUT_MS),
  };
}
