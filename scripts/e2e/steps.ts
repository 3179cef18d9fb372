import type { E2eCluster } from './e2e-cluster.ts';

/** What is done to the session-nodes while traffic runs, and what must hold meanwhile besides "nothing lost". */
export interface E2eStep {
  name: string;
  /** the longest gap of a session (p99), ms; default 2,000: a planned move */
  gapMs?: number;
  /** a crash may repeat what it left between the wire and the ack, under the same id */
  mayRepeat?: boolean;
  run(e2e: E2eCluster): Promise<{ found?: object; problems: string[] }>;
}

const CRASH_GAP_MS = 13_000;
const TIMEOUT = '--timeout=180s';
const SET = 'statefulset/session-node';

/** @returns the names of the first nodes of the set */
const nodes = (count: number) => Array.from({ length: count }, (_, index) => `session-node-${index}`);

async function scale(e2e: E2eCluster, from: number, to: number): Promise<{ problems: string[] }> {
  const command = ['scale', SET, `--replicas=${to}`];
  await e2e.note(`kubectl ${command.join(' ')}`);
  await e2e.kubectl(...command);
  const gone = nodes(from)
    .slice(to)
    .map((name) => `pod/${name}`);
  if (gone.length > 0) await e2e.kubectl('wait', '--for=delete', ...gone, TIMEOUT);
  await e2e.kubectl('rollout', 'status', SET, TIMEOUT);
  await e2e.note(gone.length > 0 ? 'the pods are gone' : 'the new pods are ready');
  await e2e.settled(nodes(to));
  return { problems: [] };
}

async function rollout(e2e: E2eCluster): Promise<{ problems: string[] }> {
  await e2e.note(`kubectl rollout restart ${SET}`);
  await e2e.kubectl('rollout', 'restart', SET);
  await e2e.kubectl('rollout', 'status', SET, TIMEOUT);
  await e2e.note('rolled out');
  await e2e.settled(nodes(2));
  return { problems: [] };
}

async function forceDelete(e2e: E2eCluster): Promise<{ problems: string[] }> {
  const command = ['delete', 'pod', 'session-node-1', '--force', '--grace-period=0'];
  await e2e.note(`kubectl ${command.join(' ')}`);
  await e2e.kubectl(...command);
  await e2e.kubectl('rollout', 'status', SET, TIMEOUT);
  await e2e.note('its successor is ready');
  await e2e.settled(nodes(2));
  return { problems: [] };
}

/** The drain cannot end before the node is uncordoned: the budget keeps the second pod, the first one's successor has no place. */
async function drainNode(e2e: E2eCluster): Promise<{ found: object; problems: string[] }> {
  const [first] = await e2e.sessionNodes();
  const machine = first?.spec.nodeName ?? '';
  const selector = '--pod-selector=app.kubernetes.io/component=session-node';
  const command = ['drain', machine, selector, '--delete-emptydir-data', '--timeout=40s'];
  await e2e.note(`kubectl ${command.join(' ')}`);
  const drained = await e2e.attempt(...command);
  await e2e.note(`the drain ended with ${drained.code}`);
  const pods = await e2e.sessionNodes();
  const running = pods.filter(({ status }) => status.phase === 'Running').map(({ metadata }) => metadata.name);
  const pending = pods.filter(({ status }) => status.phase === 'Pending').map(({ metadata }) => metadata.name);
  const refused = /would violate the pod's disruption budget/.test(drained.stderr + drained.stdout);
  await e2e.settled(running);
  await e2e.note(`all sessions are on ${running.join(', ')}; kubectl uncordon ${machine}`);
  await e2e.kubectl('uncordon', machine);
  await e2e.kubectl('rollout', 'status', SET, TIMEOUT);
  await e2e.settled(nodes(2));
  return {
    found: { secondEvictionRefused: refused, running, pending, drainExit: drained.code },
    problems: [
      ...(refused ? [] : ['the budget refused no eviction']),
      ...(running.length === 1 && pending.length === 1 ? [] : ['not one node running and one pending']),
    ],
  };
}

export const STEPS: readonly E2eStep[] = [
  { name: 'scale 2 -> 3', run: (e2e) => scale(e2e, 2, 3) },
  { name: 'scale 3 -> 1', run: (e2e) => scale(e2e, 3, 1) },
  { name: 'scale 1 -> 2', run: (e2e) => scale(e2e, 1, 2) },
  { name: 'rollout restart', run: rollout },
  { name: 'delete pod --force', gapMs: CRASH_GAP_MS, mayRepeat: true, run: forceDelete },
  { name: 'drain node', run: drainNode },
];
