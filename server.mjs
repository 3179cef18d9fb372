/* Plain JavaScript that an old Node can parse, and nothing but the check is loaded before the check. */
import { fileURLToPath } from 'node:url';
import './scripts/node-version.mjs';

/* a start compiles a thousand files: the second one need not. Where nothing can be written it does all the same */
const { enableCompileCache } = await import('node:module');
enableCompileCache(fileURLToPath(new URL('node_modules/.cache/castellan', import.meta.url)));

const { loadConfig } = await import('./lib/config.ts');
const { stopTimeoutMs } = await import('./lib/timings.ts');
const { startCastellan } = await import('./start.ts');

function fail(error) {
  const expected = error?.type === 'CONFIG_INVALID';
  process.stderr.write(`${expected ? `Configuration: ${error.message}` : (error?.stack ?? error)}\n`);
  process.exit(1);
}

let castellan = null;
let stopping = false;

async function stop(signal, graceMs, exitCode) {
  if (stopping) process.exit(1);
  stopping = true;
  process.stdout.write(`${signal}: stopping\n`);
  /* it still waits for its stores: a container's first process must say so itself, or the signal is ignored */
  if (!castellan) process.exit(0);
  setTimeout(() => {
    process.stderr.write(`Not stopped within ${graceMs} ms: leaving by force\n`);
    process.exit(1);
  }, graceMs).unref();
  await castellan.stop();
  process.exit(exitCode);
}

try {
  const config = loadConfig();
  const graceMs = stopTimeoutMs(config.timings);
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => void stop(signal, graceMs, 0));
  castellan = await startCastellan(config);
  /* whoever started it starts it again: see the message */
  void castellan.failed.then((error) => {
    process.stderr.write(`${error.message}\n`);
    return stop('Failed', graceMs, 1);
  });
  process.stdout.write(
    castellan.url
      ? `Castellan listens on ${castellan.url} (documentation: ${castellan.url}/docs)\n`
      : `Castellan runs ${config.services.join(', ')} as ${config.nodeId}\n`,
  );
  if (castellan.adminKeyMade) {
    process.stdout.write(`Admin API key, shown this once and kept under DATA_DIR: ${castellan.adminKey}\n`);
  }
} catch (error) {
  fail(error);
}
