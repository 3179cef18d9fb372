import { setTimeout as delay } from 'node:timers/promises';
import type { Command, CommandResult } from './command.ts';
import type { NodeRow } from './measurement.ts';

interface State {
  open: number;
  nodes: NodeRow[] | null;
}

interface Pod {
  metadata: { name: string; deletionTimestamp?: string };
  spec: { nodeName?: string };
  status: { phase: string; podIP?: string; containerStatuses?: { ready: boolean; restartCount: number }[] };
}

/** The overlay `k8s/overlays/e2e` in a cluster, and what a step needs to ask of it. */
export interface E2eCluster {
  up(): Promise<void>;
  down(): Promise<void>;
  /** kubectl in the namespace. @throws Error with what it printed */
  kubectl(...args: string[]): Promise<string>;
  /** the same without an opinion about its end */
  attempt(...args: string[]): Promise<CommandResult>;
  /** Asks the driver in the simulator's pod. */
  ask(method: string, path: string, body?: object): Promise<unknown>;
  /** Into the timeline. */
  note(text: string): Promise<void>;
  sessionNodes(): Promise<Pod[]>;
  /** Waits until exactly these nodes run all sessions, all of them open, each node some, and stays so. @throws after 3 min */
  settled(nodes: readonly string[]): Promise<void>;
  /** resident MiB by pod, as each process tells it on its health port */
  memory(): Promise<Record<string, number>>;
  /** For whoever has to find out what went wrong. */
  whatIsThere(): Promise<string>;
}

const NAMESPACE = 'castellan-e2e';
const OVERLAY = 'k8s/overlays/e2e';
const READY_TIMEOUT = '--timeout=180s';
const SETTLE_TIMEOUT_MS = 180_000;
const SETTLED_LOOKS = 5;
const LOOK_MS = 1_000;

export function createE2eCluster(command: Command, sessions: number, say: (text: string) => void): E2eCluster {
  const kubectl = (...args: string[]) => command.run(['--namespace', NAMESPACE, ...args]);
  const attempt = (...args: string[]) => command.attempt(['--namespace', NAMESPACE, ...args]);

  async function ask(method: string, path: string, body: object = {}): Promise<unknown> {
    const inside = ['node', 'scripts/e2e/ask.ts', method, path, JSON.stringify(body)];
    return JSON.parse(await kubectl('exec', 'simulator', '--', ...inside));
  }

  async function pods(...selector: string[]): Promise<Pod[]> {
    return (JSON.parse(await kubectl('get', 'pods', '--output', 'json', ...selector)) as { items: Pod[] }).items;
  }

  async function down(): Promise<void> {
    await command.attempt(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--timeout=120s']);
  }

  function looksSettled({ open, nodes }: State, wanted: readonly string[]): boolean {
    const living = (nodes ?? []).filter(({ draining }) => !draining);
    const sum = (rows: readonly NodeRow[], field: 'connections' | 'open') =>
      rows.reduce((total, row) => total + row[field], 0);
    return (
      open === sessions &&
      living
        .map(({ nodeId }) => nodeId)
        .sort()
        .join() === [...wanted].sort().join() &&
      living.every(({ connections }) => connections > 0) &&
      sum(living, 'connections') === sessions &&
      sum(living, 'open') === sessions
    );
  }

  return {
    kubectl,
    attempt,
    ask,
    down,
    async up() {
      await down();
      say('== applying');
      await command.run(['apply', '--kustomize', OVERLAY]);
      for (const workload of ['deployment/gateway', 'deployment/services', 'statefulset/session-node']) {
        await kubectl('rollout', 'status', workload, READY_TIMEOUT);
      }
      await kubectl('wait', '--for=condition=Ready', 'pod/simulator', READY_TIMEOUT);
    },
    async note(text) {
      say(text);
      await ask('POST', '/note', { text });
    },
    sessionNodes: () => pods('--selector', 'app.kubernetes.io/component=session-node'),
    async settled(wanted) {
      const deadline = performance.now() + SETTLE_TIMEOUT_MS;
      let last: State | null = null;
      for (let looks = 0; looks < SETTLED_LOOKS; ) {
        if (performance.now() > deadline) {
          throw new Error(`not settled on ${wanted.join(', ')}: ${JSON.stringify(last)}`);
        }
        last = (await ask('GET', '/state')) as State;
        looks = looksSettled(last, wanted) ? looks + 1 : 0;
        await delay(LOOK_MS);
      }
    },
    async memory() {
      const ours = await pods('--selector', 'app.kubernetes.io/name=castellan');
      const rows = await Promise.all(
        ours.map(async ({ metadata: { name }, status: { podIP } }) => {
          const read = `const answer = await fetch('http://${podIP}:3001/metrics'); console.log(await answer.text())`;
          const metrics = await attempt('exec', 'simulator', '--', 'node', '--input-type=module', '--eval', read);
          const bytes = /^process_resident_memory_bytes (\d+)$/m.exec(metrics.stdout)?.[1];
          return [name, Math.round(Number(bytes) / 1024 / 1024)] as const;
        }),
      );
      return Object.fromEntries(rows);
    },
    async whatIsThere() {
      const all = await attempt('get', 'pods', '--output', 'wide');
      const events = await attempt('get', 'events', '--sort-by', '.lastTimestamp');
      const logs = await Promise.all(
        (await pods().catch(() => [])).map(async ({ metadata: { name } }) => {
          return `--- ${name}\n${(await attempt('logs', name, '--tail', '25')).stdout}`;
        }),
      );
      return [all.stdout, events.stdout.slice(-4_000), ...logs].join('\n');
    },
  };
}
