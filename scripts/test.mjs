/* Plain JavaScript, like everything that begins before the Node version is known to be right. */
import './node-version.mjs';
import { spawnSync } from 'node:child_process';

/** Clusters of processes that are harmed, with promises about time: nothing else runs beside them. */
const ALONE = 'test/cluster';

function jest(args) {
  const flags = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', ...args];
  return spawnSync(process.execPath, flags, { stdio: 'inherit' }).status ?? 1;
}

/** The report of the second half lies beside that of the first. */
const besides = (flag) => flag.replace(/^(--outputFile=.*)$/, '$1.alone');

const args = process.argv.slice(2);
const named = args.some((arg) => !arg.startsWith('--json') && !arg.startsWith('--outputFile='));
if (named) process.exit(jest(args));
const together = jest([...args, '--testPathIgnorePatterns', `/${ALONE}/`]);
const alone = jest([...args.map(besides), '--runInBand', ALONE]);
process.exit(together || alone);
