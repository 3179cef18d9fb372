/* Plain JavaScript that an old Node can parse, and nothing but the check is loaded before the check. */
import './scripts/node-version.mjs';

const GRACE_MS = 25_000;

const { loadConfig } = await import('./lib/config.ts');
const { startCastellan } = await import('./start.ts');

function fail(error) {
  const expected = error?.type === 'CONFIG_INVALID';
  process.stderr.write(`${expected ? `Configuration: ${error.message}` : (error?.stack ?? error)}\n`);
  process.exit(1);
}

try {
  const config = loadConfig();
  const castellan = await startCastellan(config);
  process.stdout.write(
    castellan.url
      ? `Castellan listens on ${castellan.url} (documentation: ${castellan.url}/docs)\n`
      : `Castellan runs ${config.services.join(', ')} as ${config.nodeId}\n`,
  );
  if (castellan.adminKeyMade) {
    process.stdout.write(`Admin API key, shown this once and kept under DATA_DIR: ${castellan.adminKey}\n`);
  }

  let stopping = false;
  const stop = async (signal) => {
    if (stopping) process.exit(1);
    stopping = true;
    process.stdout.write(`${signal}: stopping\n`);
    setTimeout(() => {
      process.stderr.write(`Not stopped within ${GRACE_MS} ms: leaving by force\n`);
      process.exit(1);
    }, GRACE_MS).unref();
    await castellan.stop();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  fail(error);
}
