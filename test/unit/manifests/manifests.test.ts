import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../../../lib/config.ts';
import { terminationGraceSeconds } from '../../../lib/timings.ts';
import { SIMULATOR } from '../../../scripts/e2e/simulator-address.ts';
import { checkComposeFile, checkManifestFile } from '../../../scripts/manifests/check.ts';
import { startSimulator } from '../../../simulator/index.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (name: string) => readFileSync(root + name, 'utf8');

interface PodSpec {
  terminationGracePeriodSeconds?: number;
  securityContext: object;
  containers: { securityContext: object; env?: { name: string }[] }[];
}
interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: { template: { spec: PodSpec } };
}
const manifestsOf = (name: string) => parseAllDocuments(read(name)).map((document) => document.toJS() as Manifest);
const compose = parse(read('docker-compose.yml'), { merge: true });
const WORKLOADS = ['gateway', 'services', 'session-node'];

function podOf(name: string): PodSpec {
  const found = manifestsOf(`k8s/base/${name}.yaml`).find(({ kind }) => ['Deployment', 'StatefulSet'].includes(kind));
  if (!found) throw new Error(`${name} is no workload`);
  return found.spec.template.spec;
}

const problemsIn = async (text: string) => (await checkManifestFile('some.yaml', text)).problems;

test('a typo in an optional field is caught, and said with its place', async () => {
  const text = read('k8s/base/session-node.yaml');
  expect(await problemsIn(text)).toEqual([]);
  expect(await problemsIn(text.replace('podManagementPolicy', 'podManagmentPolicy'))).toEqual([
    'StatefulSet session-node: /spec/podManagmentPolicy: unknown field',
  ]);
  expect(await problemsIn(text.replace('periodSeconds: 10', 'periodSecond: 10'))).toEqual([
    'StatefulSet session-node: /spec/template/spec/containers/0/livenessProbe/periodSecond: unknown field',
  ]);
});

test('a wrong type, a missing field and an unknown kind are caught', async () => {
  const budget = (spec: string) =>
    `{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: x}, spec: ${spec}}`;
  expect(await problemsIn(budget('{selector: {matchLabels: {a: 1}}}'))).toEqual([
    expect.stringContaining('/spec/selector/matchLabels/a: type'),
  ]);
  expect(await problemsIn('{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {}}')).toEqual([
    expect.stringContaining('"missingProperty":"containers"'),
  ]);
  expect(await problemsIn('{apiVersion: v1, kind: Pood}')).toEqual([expect.stringContaining('no schema')]);
});

test('a kustomization names files that are there, and patches that are patches', async () => {
  const problems = await problemsIn(`
    kind: Kustomization
    resource: []
    resources: [nowhere.yaml]
    patches: [{ patch: "[{ op: remove }]" }, { patch: "{ spec: {} }" }]`);
  expect(problems).toHaveLength(4);
});

test('a typo in the compose file is caught', () => {
  const text = read('docker-compose.yml');
  expect(checkComposeFile('docker-compose.yml', text).problems).toEqual([]);
  const typo = checkComposeFile('docker-compose.yml', text.replace('stop_grace_period', 'stop_grace_perod'));
  expect(typo.problems).toEqual([expect.stringContaining('stop_grace_perod')]);
});

test('whoever stops a session-node waits as long as its drain and its end may take', () => {
  const seconds = terminationGraceSeconds(loadConfig({}).timings);
  const { configMapGenerator } = parse(read('k8s/base/kustomization.yaml'));
  const drain = `DRAIN_TIMEOUT_MS=${loadConfig({}).timings.drainTimeoutMs}`;
  expect(configMapGenerator[0].literals).toContain(drain);
  expect(podOf('session-node').terminationGracePeriodSeconds).toBe(seconds);
  expect(`DRAIN_TIMEOUT_MS=${compose.services['session-node'].environment.DRAIN_TIMEOUT_MS}`).toBe(drain);
  expect(compose.services['session-node'].stop_grace_period).toBe(`${seconds}s`);
});

test.each(WORKLOADS)('%s asks for nothing that the restricted level of pod security refuses', (name) => {
  const pod = podOf(name);
  expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  for (const { securityContext } of pod.containers) {
    expect(securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  }
});

test.each(WORKLOADS)(
  '%s gets its secrets by reference, and every variable is one that the configuration knows',
  (name) => {
    const known = read('lib/config.ts');
    const [container] = podOf(name).containers;
    for (const variable of container?.env ?? []) expect(known).toContain(variable.name);
    expect(container?.env).toContainEqual({
      name: 'ENCRYPTION_KEY',
      valueFrom: { secretKeyRef: { name: 'castellan', key: 'encryption-key' } },
    });
  },
);

test('the end-to-end overlay trusts the key of the simulator that it starts', async () => {
  const simulator = await startSimulator({ seed: SIMULATOR.seed });
  expect(simulator.rootPublicKey).toBe(SIMULATOR.rootPublicKey);
  await simulator.close();
  const { configMapGenerator } = parse(read('k8s/overlays/e2e/kustomization.yaml'));
  expect(configMapGenerator[0].literals).toContain(`WA_ROOT_PUBLIC_KEY=${SIMULATOR.rootPublicKey}`);
  expect(configMapGenerator[0].literals).toContain(`WA_WEBSOCKET_URL=${SIMULATOR.url}`);
});
