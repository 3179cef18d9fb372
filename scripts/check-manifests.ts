import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CheckedFile, checkComposeFile, checkManifests } from './manifests/check.ts';

/*
 * npm run check:manifests: everything in k8s/ and the compose files against the published schemas, without a cluster and
 * without kustomize. That a HorizontalPodAutoscaler scales and a NetworkPolicy stops anything is not shown by this, and
 * by no other command here either: it takes a metrics adapter and a network plugin that obeys policies.
 */
const root = fileURLToPath(new URL('../', import.meta.url));
const composeFiles = ['docker-compose.yml', 'docker-compose.e2e.yml'];

const checked: CheckedFile[] = [
  ...(await checkManifests(`${root}k8s`)),
  ...composeFiles.map((name) => checkComposeFile(root + name, readFileSync(root + name, 'utf8'))),
];
for (const { file, problems } of checked) {
  for (const problem of problems) console.error(`${relative(root, file)}: ${problem}`);
}
const objects = checked.reduce((sum, file) => sum + file.objects, 0);
console.log(`${checked.length} files, ${objects} manifests and compose services checked against their schemas.`);
process.exitCode = checked.some(({ problems }) => problems.length > 0) ? 1 : 0;
