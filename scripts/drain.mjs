/*
 * What a preStop hook runs in the container of a session-node: hands its sessions over and ends when that is done, so
 * that SIGTERM finds nothing left to do. How long it may take is for DRAIN_TIMEOUT_MS and the grace period to say.
 */
const port = process.env.HEALTH_PORT;
try {
  if (!port) throw new Error('HEALTH_PORT is not set');
  const answer = await fetch(`http://127.0.0.1:${port}/drain`, { method: 'POST' });
  const body = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${body}`);
  console.log(body);
} catch (error) {
  console.error(`not drained: ${error.message}${error.cause ? ` (${error.cause.message})` : ''}`);
  process.exitCode = 1;
}
