/* Plain JavaScript that an old Node can parse, and nothing but the check is loaded before the check. */
import './scripts/node-version.mjs';

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

async function stop(signal, graceMs) {
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
  process.exit(0);
}

try {
  const config = loadConfig();
  const graceMs = stopTimeoutMs(config.timings);
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => void stop(signal, graceMs));
  castellan = await startCastellan(config);
  if (castellan.url)
    process.stdout.write(`Castellan listens on ${castellan.url} (documentation: ${castellan.url}/docs)\n`);
  if (castellan.adminKeyMade) {
    process.stdout.write(`Admin API key, shown this once and kept under DATA_DIR: ${castellan.adminKey}\n`);
  }
} catch (error) {
  fail(error);
}
