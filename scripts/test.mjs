/* Plain JavaScript, like everything that begins before the Node version is known to be right. */
import './node-version.mjs';
import { spawnSync } from 'node:child_process';

/** Clusters of processes that are harmed: beside each other, but not beside everything else. */
const CLUSTERS = 'test/cluster';
/** with promises about time: nothing else runs beside them */
const TIMED = 'test/cluster/timed';

function jest(args) {
  const flags = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', ...args];
  return spawnSync(process.execPath, flags, { stdio: 'inherit' }).status ?? 1;
}

const args = process.argv.slice(2);
const named = args.some((arg) => !arg.startsWith('--json') && !arg.startsWith('--outputFile='));
if (named) process.exit(jest(args));

/** The reports of the later parts lie beside that of the first. */
const part = (suffix) => args.map((arg) => arg.replace(/^(--outputFile=.*)$/, `$1${suffix}`));
const failed = [
  jest([...part(''), '--testPathIgnorePatterns', `/${CLUSTERS}/`]),
  jest([...part('.clusters'), CLUSTERS, '--testPathIgnorePatterns', `/${TIMED}/`]),
  jest([...part('.timed'), '--runInBand', TIMED]),
].some((status) => status !== 0);
process.exit(failed ? 1 : 0);
