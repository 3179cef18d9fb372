import { setTimeout as delay } from 'node:timers/promises';
import { winner } from '../../../lib/cluster/rendezvous.ts';
import type { Connection } from '../../../lib/contracts/entities.ts';
import type { OwnershipTimings } from '../../../lib/timings.ts';
import { type Simulator, startSimulator } from '../../../simulator/index.ts';
import type { ApiClient } from '../../harness/api-client.ts';
import { type Cluster, type Member, startCluster } from '../../harness/cluster/cluster.ts';
import { INSPECTED } from '../../harness/inspector.ts';
import type { Line } from '../traffic.ts';
import { type JournalAudit, startJournalAudit } from './journal-audit.ts';
import { createLinkBoard, type LinkBoard } from './links.ts';
import { prepareLines, TENANT } from './prepared-lines.ts';
import { timingsEnv, timingsOf, type WorldShape } from './shape.ts';
import { openSocketOf } from './sockets.ts';

/** A cluster with paired connections, the simulated WhatsApp in this very process, and what can be done to them. */
export interface World {
  readonly shape: WorldShape;
  readonly timings: OwnershipTimings;
  readonly simulator: Simulator;
  readonly cluster: Cluster;
  /** as the user whose the connections are */
  readonly api: ApiClient;
  readonly lines: readonly Line[];
  readonly links: LinkBoard;
  readonly audit: JournalAudit;
  log(text: string): void;
  /** the session-nodes that run */
  nodes(): Member[];
  /** What the rows say runs where. */
  placement(): Promise<ReadonlyMap<string, string | null>>;
  linesOn(nodeId: string): Promise<Line[]>;
  /** Resolves when each of them has a socket that is logged in. @throws with how many have none */
  untilOpen(lines?: readonly Line[], timeoutMs?: number): Promise<void>;
  /** Resolves when every connection is open where the ring of the running nodes has it. @throws with how many are not */
  untilBalanced(): Promise<void>;
  /** Undoes every fault: processes, ways and servers as the shape has them, and everything open. */
  recover(): Promise<void>;
  end(): Promise<void>;
}

const PATIENCE_MS = 120_000;
/** a thousand logins or moves are minutes of a small machine */
const PATIENCE_PER_CONNECTION_MS = 600;
const POLL_MS = 50;
const BALANCE_POLL_MS = 500;

export async function startWorld(shape: WorldShape, seed: string, log: (text: string) => void): Promise<World> {
  const timings = timingsOf(shape);
  const links = createLinkBoard();
  const simulator = await startSimulator({ seed, witnessStanzas: 0 });
  const ends: (() => Promise<unknown>)[] = [() => links.close(), () => simulator.close()];
  const end = async () => {
    for (const one of ends.splice(0).reverse()) await one();
  };
  try {
    const cluster = await startCluster({
      sessionNodes: shape.sessionNodes,
      whatsapp: simulator,
      env: {
        LOG_LEVEL: process.env.LOG_LEVEL || 'info',
        ...timingsEnv(timings),
        RATE_LIMIT_PER_SECOND: '0',
        ALLOW_PRIVATE_TARGETS: 'true',
      },
      ...(shape.partitions && { envOf: links.lay }),
      ...(shape.inspected && { nodeFlags: INSPECTED }),
    });
    ends.push(() => cluster.stop(0));
    const lines = await prepareLines(cluster, simulator, shape.connections);
    const audit = await startJournalAudit(cluster.mongoUrl);
    ends.push(() => audit.stop());
    const world = createWorld({ shape, timings, simulator, cluster, lines, links, audit, log, end });
    await world.untilOpen();
    await world.untilBalanced();
    log(`${shape.sessionNodes} session-nodes with ${shape.connections} connections are open`);
    return world;
  } catch (error) {
    await end();
    throw error;
  }
}

type Parts = Pick<World, 'shape' | 'timings' | 'simulator' | 'cluster' | 'lines' | 'links' | 'audit' | 'log' | 'end'>;

function createWorld(parts: Parts): World {
  const { cluster, lines, simulator, shape, links, audit } = parts;
  const { api } = cluster;
  const patienceMs = Math.max(PATIENCE_MS, lines.length * PATIENCE_PER_CONNECTION_MS);
  const nodes = () => cluster.members.filter(({ role, state }) => role === 'session-node' && state !== 'stopped');

  const rows = () => api.all<Connection>(`/connection/list?userId=${TENANT}`);
  const isOpen = ({ phone }: Line) => openSocketOf(simulator, phone.pn) !== undefined;

  async function untilOpen(some: readonly Line[] = lines, timeoutMs = patienceMs): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const missing = some.filter((line) => !isOpen(line));
      if (missing.length === 0) return;
      if (performance.now() > deadline) {
        const status = await api.connection(missing[0]?.connectionId ?? '').catch(String);
        throw new Error(`${missing.length} are not open after ${timeoutMs} ms, such as ${JSON.stringify(status)}`);
      }
      await delay(POLL_MS);
    }
  }

  async function misplaced(): Promise<string[]> {
    const ring = nodes().map(({ nodeId }) => ({ nodeId, capacity: 1 }));
    const found = await rows();
    /* a store that has just come back may need another look */
    const epochs = await audit.epochs().catch(() => new Map<string, number>());
    const wrong = found.filter(
      ({ connectionId, worker, status }) =>
        status !== 'open' ||
        worker?.nodeId !== winner(connectionId, ring)?.nodeId ||
        /* somebody has taken it over since, and the row does not say so yet */
        worker?.epoch !== epochs.get(connectionId),
    );
    return wrong.map(({ connectionId, worker, status }) => `${connectionId} ${status} on ${worker?.nodeId}`);
  }

  async function untilBalanced(): Promise<void> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const began = performance.now();
      const wrong = await misplaced();
      if (wrong.length === 0 && lines.every(isOpen)) return;
      if (performance.now() > deadline) {
        throw new Error(`${wrong.length} are not where the ring has them after ${patienceMs} ms, such as ${wrong[0]}`);
      }
      /* a thousand rows are no small question: the looking must not be the load */
      await delay(Math.max(BALANCE_POLL_MS, 4 * (performance.now() - began)));
    }
  }

  async function recover(): Promise<void> {
    links.heal();
    for (const member of cluster.members) {
      const [, number] = /^session-node-(\d+)$/.exec(member.nodeId) ?? [];
      const surplus = number !== undefined && Number(number) > shape.sessionNodes;
      if (member.state === 'paused') member.resume();
      if (member.state === 'stopped' && !surplus) await member.start();
      if (member.state === 'running' && surplus) await member.stop();
    }
    await untilOpen();
    await untilBalanced();
  }

  return {
    ...parts,
    api,
    nodes,
    async placement() {
      return new Map((await rows()).map(({ connectionId, worker }) => [connectionId, worker?.nodeId ?? null]));
    },
    async linesOn(nodeId) {
      const its = new Set(
        (await rows()).filter(({ worker }) => worker?.nodeId === nodeId).map((row) => row.connectionId),
      );
      return lines.filter(({ connectionId }) => its.has(connectionId));
    },
    untilOpen,
    untilBalanced,
    recover,
  };
}
