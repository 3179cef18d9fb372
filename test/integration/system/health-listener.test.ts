import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createHealthServer } from '../../../lib/http/health-server.ts';
import { silentLog } from '../../../lib/log.ts';
import { createApi } from '../../helpers/api.ts';
import { startTestCastellan } from '../../helpers/castellan.ts';
import { startPairedSystem } from '../../helpers/paired-system.ts';

const DRAIN = fileURLToPath(new URL('../../../scripts/drain.mjs', import.meta.url));
const run = promisify(execFile);

async function statusOf(url: string, path = '/health/ready') {
  const { status, body } = await createApi(url).get(path);
  return [status, body.status];
}

test('a process without a gateway answers probes and shows what its node runs', async () => {
  const node = await startTestCastellan({ services: ['session-node'], healthPort: 0, nodeCapacity: 700 });
  const url = String(node.healthUrl);
  expect(await statusOf(url, '/health/live')).toEqual([200, 'live']);
  expect(await statusOf(url)).toEqual([200, 'ready']);
  const { text, headers } = await createApi(url).get('/metrics');
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(text).toContain('castellan_node_sessions 0\n');
  expect(text).toContain('castellan_node_sessions_open 0\n');
  expect(text).toContain('castellan_node_capacity 700\n');
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
  expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds [\d.e+-]+$/m);
  expect(await statusOf(url, '/v1/wa/connection/list')).toEqual([404, 'not-found']);
  await node.end();
  await expect(statusOf(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('beside a gateway it says nothing of nodes where none runs', async () => {
  const gateway = await startTestCastellan({ services: ['gateway'], healthPort: 0 });
  const url = String(gateway.healthUrl);
  expect(await statusOf(url)).toEqual([200, 'ready']);
  expect((await createApi(url).get('/metrics')).text).not.toContain('castellan_node');
  expect((await createApi(url).post('/drain', {})).body).toMatchObject({ status: 'drained', sessions: 0 });
  await gateway.end();
});

test('without HEALTH_PORT nothing listens', async () => {
  const castellan = await startTestCastellan({ services: ['session-node'] });
  expect(castellan.healthUrl).toBeNull();
  await castellan.end();
});

test('while it starts it is live, but neither ready nor to be drained', async () => {
  const health = createHealthServer({ host: '127.0.0.1', port: 0, log: silentLog });
  await health.listen();
  expect(await statusOf(health.url(), '/health/live')).toEqual([200, 'live']);
  expect(await statusOf(health.url())).toEqual([503, 'starting']);
  expect((await createApi(health.url()).post('/drain', {})).status).toBe(503);
  await health.close();
});

test('a port that is taken is said by its variable', async () => {
  const first = createHealthServer({ host: '127.0.0.1', port: 0, log: silentLog });
  await first.listen();
  const healthPort = Number(new URL(first.url()).port);
  await expect(startTestCastellan({ services: ['session-node'], healthPort })).rejects.toMatchObject({
    type: 'CONFIG_INVALID',
    message: expect.stringContaining('HEALTH_PORT'),
  });
  await first.close();
});

test('it is not ready while its node is set aside, and ready again afterwards', async () => {
  const node = await startTestCastellan({ services: ['session-node'], healthPort: 0 });
  const { nodeId } = node.runtime.config;
  await node.broker.call('session-node.drain', { nodeId, draining: true });
  expect(await statusOf(String(node.healthUrl))).toEqual([503, 'draining']);
  await node.broker.call('session-node.drain', { nodeId, draining: false });
  expect(await statusOf(String(node.healthUrl))).toEqual([200, 'ready']);
  await node.end();
});

test('a drain hands the sessions over before it answers, once, and the stop after it has nothing to do', async () => {
  const system = await startPairedSystem({ healthPort: 0 }, { seed: 'drained' });
  const { castellan, simulator } = system;
  await system.openLine('15556660001');
  await system.openLine('15556660002');
  const health = String(castellan.healthUrl);
  expect((await createApi(health).get('/metrics')).text).toContain('castellan_node_sessions_open 2\n');

  const env = { ...process.env, HEALTH_PORT: new URL(health).port };
  const [first, second] = await Promise.all([run('node', [DRAIN], { env }), createApi(health).post('/drain', {})]);
  expect(JSON.parse(first.stdout)).toMatchObject({ status: 'drained', sessions: 0 });
  expect(second.body).toMatchObject({ status: 'drained', sessions: 0 });
  expect(simulator.witness.sockets.list({ open: true })).toEqual([]);
  expect(await statusOf(health)).toEqual([503, 'draining']);
  expect(await statusOf(health, '/health/live')).toEqual([200, 'live']);

  const began = performance.now();
  await system.end();
  expect(performance.now() - began).toBeLessThan(5_000);
});

test('the preStop hook fails with the reason when there is nothing to ask', async () => {
  const answer = run('node', [DRAIN], { env: { PATH: process.env.PATH, HEALTH_PORT: '' } });
  await expect(answer).rejects.toMatchObject({ code: 1, stderr: 'not drained: HEALTH_PORT is not set\n' });
});
