import type { NodeInfo, WorkerInfo } from '../../lib/contracts/session-node.contract.ts';
import { CASTELLAN_ROLES, type CastellanRole, type Cluster, type Member } from '../harness/cluster/cluster.ts';

/** What is said when a command is done; `--json` prints it as it is. */
export type Answer =
  | { event: 'started' | 'stopped' | 'paused' | 'resumed'; role: string; nodeId: string; pid: number | null }
  | { event: 'status'; processes: ProcessView[]; nodes: NodeInfo[] | null; workers: WorkerInfo[] | null }
  | { event: 'error'; message: string }
  | { event: 'quit' };

export interface ProcessView {
  pid: number | null;
  role: string;
  nodeId: string;
  state: string;
}

export const COMMANDS_HELP = `  add session-node   start one more (also: gateway, services)
  stop ID            SIGTERM, and wait until it is gone
  kill ID            SIGKILL
  pause ID           SIGSTOP: nothing answers, its sockets stay open
  resume ID          SIGCONT
  restart ID         end it and start it anew under the same identity; starts one that was stopped or killed
  status             what runs where
  quit               end everything

ID is a name such as session-node-2, or a role (gateway, services, session-node, nats, redis, mongo, simulator):
then it is the first one of it.`;

type Verb = (member: Member) => Promise<Answer>;

const VERBS: Record<string, Verb> = {
  stop: async (member) => ended(member, () => member.stop()),
  kill: async (member) => ended(member, () => member.kill()),
  pause: async (member) => {
    member.pause();
    return { event: 'paused', ...identity(member) };
  },
  resume: async (member) => {
    member.resume();
    return { event: 'resumed', ...identity(member) };
  },
  restart: async (member) => {
    await member.restart();
    return { event: 'started', ...identity(member) };
  },
};

const identity = ({ role, nodeId, pid }: Member) => ({ role, nodeId, pid });

async function ended(member: Member, end: () => Promise<void>): Promise<Answer> {
  const whoEnds = identity(member);
  await end();
  return { event: 'stopped', ...whoEnds };
}

/** Carries out one line of input. Nothing is thrown: what does not work is an answer of its own. */
export async function execute(cluster: Cluster, line: string): Promise<Answer> {
  const [verb = '', argument, ...rest] = line.trim().split(/\s+/);
  try {
    if (rest.length > 0) throw new Error(`"${line.trim()}" has too many words`);
    if (verb === 'quit' || verb === 'status') {
      if (argument !== undefined) throw new Error(`${verb} takes nothing after it`);
      return verb === 'quit' ? { event: 'quit' } : await statusOf(cluster);
    }
    if (verb === 'add') return await add(cluster, argument);
    const act = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
    if (!act) throw new Error(`"${verb}" is no command; there are add, ${Object.keys(VERBS).join(', ')}, status, quit`);
    if (argument === undefined) throw new Error(`${verb} what? A name or a role must follow`);
    return await act(cluster.find(argument));
  } catch (error) {
    return { event: 'error', message: error instanceof Error ? error.message : String(error) };
  }
}

async function add(cluster: Cluster, role: string | undefined): Promise<Answer> {
  const known: readonly string[] = CASTELLAN_ROLES;
  if (role === undefined || !known.includes(role)) throw new Error(`add what? One of ${known.join(', ')}`);
  return { event: 'started', ...identity(await cluster.add(role as CastellanRole)) };
}

async function statusOf({ members, api }: Cluster): Promise<Answer> {
  const processes = members.map(({ pid, role, nodeId, state }) => ({ pid, role, nodeId, state }));
  const or = <T>(asked: Promise<T>) => asked.catch(() => null);
  const [nodes, workers] = await Promise.all([
    or(api.ask<{ items: NodeInfo[] }>('GET', '/cluster/nodes').then(({ items }) => items)),
    or(api.all<WorkerInfo>('/cluster/workers')),
  ]);
  return { event: 'status', processes, nodes, workers };
}
