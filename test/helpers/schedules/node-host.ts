import type { Locks } from '../../../lib/cluster/locks.port.ts';
import type { Log } from '../../../lib/log.ts';
import type { ConnectionManager } from '../../../lib/session/connection-manager.port.ts';
import type { Store } from '../../../lib/storage/port.ts';
import { DEFAULT_OWNERSHIP_TIMINGS, type OwnershipTimings } from '../../../lib/timings.ts';
import { type Bus, createPeers } from './bus.ts';
import {
  createLink,
  healthyLink,
  type LinkState,
  locksOver,
  type ServiceName,
  type ServiceState,
  storeOver,
} from './network.ts';
import type { Product } from './product.ts';
import type { Random } from './random.ts';
import { plainVault } from './sessions.ts';
import { createVirtualProcess, type ProcessWorld, type VirtualProcess } from './virtual-process.ts';
import type { VirtualWhatsApp } from './virtual-whatsapp.ts';

/** A session-node's process: the product's own parts on the clock and the network of this world. */
export interface NodeProcess {
  readonly process: VirtualProcess;
  readonly manager: ConnectionManager;
  readonly links: HostLinks;
}

export interface NodeWorld extends ProcessWorld, Bus {
  product: Product;
  store: Store;
  locks(): Locks;
  services: Readonly<Record<ServiceName, ServiceState>>;
  whatsapp: VirtualWhatsApp;
  timings: Partial<OwnershipTimings>;
  logFor(process: VirtualProcess): Log;
  /** Another process has the name of this one, which is over for good. */
  onSeatLost(process: VirtualProcess): void;
}

export interface NodeIdentity {
  nodeId: string;
  incarnation: string;
  seat: string | null;
}

export type HostLinks = Record<ServiceName | 'bus', LinkState>;

const CAPACITY = 1_000;

export const healthyHost = (): HostLinks => ({
  documents: healthyLink(),
  locks: healthyLink(),
  whatsapp: healthyLink(),
  bus: healthyLink(),
});

/* ioredis' command timeout; of the MongoDB driver: choosing a server, or a socket that fell silent */
const locksPatienceMs = () => 2_000;
const documentsPatienceMs = (random: Random) => (random.chance(0.4) ? 2_000 : 10_000);

/** Starts a process of this name. */
export function startNode(world: NodeWorld, owner: NodeIdentity, links: HostLinks): NodeProcess {
  const { product, timeline, services } = world;
  const process = createVirtualProcess(world, `${owner.nodeId}.${owner.incarnation}`);
  const random = world.random.fork(`node ${process.name}`);
  const { clock } = process;
  const log = world.logFor(process);
  const shared = { timeline, random, process };
  const documents = createLink({
    ...shared,
    service: services.documents,
    state: links.documents,
    patienceMs: documentsPatienceMs,
    inOrder: false,
  });
  const lockLink = createLink({
    ...shared,
    service: services.locks,
    state: links.locks,
    patienceMs: locksPatienceMs,
    inOrder: true,
  });
  const timings = { ...DEFAULT_OWNERSHIP_TIMINGS, ...world.timings };
  const store = storeOver(documents, world.store);
  const membership = product.createStoredMembership({ store, clock, log, owner, capacity: CAPACITY, timings });
  const manager = product.createConnectionManager({
    store,
    clock,
    log,
    owner,
    vault: plainVault,
    events: product.createEventLog({ store, vault: plainVault, clock }),
    membership: {
      ...membership,
      start: (hooks) =>
        membership.start({
          ...hooks,
          onSeatTaken() {
            hooks.onSeatTaken();
            world.onSeatLost(process);
          },
        }),
    },
    peers: createPeers(world, process, random, links.bus),
    locks: locksOver(lockLink, world.locks),
    sessions: product.createSessionStore({
      store,
      vault: plainVault,
      clock,
      log,
      applier: { apply: async () => {} },
      /* more often than in life: what is pruned when is a part of the protocol */
      snapshotDelayMs: 1_000,
    }),
    openSocket: world.whatsapp.openSocketFor(process, links.whatsapp),
    createOutbox: () => ({ start() {}, wake() {}, async stop() {} }),
    timings,
    random: () => random.next(),
  });
  process.deliver(timeline.now, () => void manager.start());
  return { process, manager, links };
}
