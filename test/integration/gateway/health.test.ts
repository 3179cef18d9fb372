import type { GatewayService } from '../../../services/gateway.service.ts';
import { createApi } from '../../helpers/api.ts';
import { startTestCastellan, type TestCastellan } from '../../helpers/castellan.ts';

let castellan: TestCastellan;

beforeAll(async () => {
  castellan = await startTestCastellan();
});
afterAll(() => castellan.end());

const anyone = () => createApi(castellan.url);

test('is live and ready without a key', async () => {
  expect((await anyone().get('/health/live')).body).toEqual({ status: 'live' });
  expect((await anyone().get('/health/ready')).body).toEqual({ status: 'ready' });
});

test('metrics count what was answered, by route and not by id', async () => {
  const user = await castellan.newUser('counted');
  for (let n = 0; n < 3; n++) await user.api.get(`/v1/wa/user/${user.userId}`);
  await user.api.post('/v1/wa/connection/create', { autoStart: false });
  const { text, headers } = await anyone().get('/metrics');
  expect(headers['content-type']).toBe('text/plain; charset=utf-8');
  expect(text).toContain('castellan_http_requests_total{method="GET",route="/v1/wa/user/:userId",status="200"} 3');
  expect(text).toContain('castellan_http_request_duration_seconds_count{method="GET",route="/v1/wa/user/:userId"} 3');
  expect(text).toContain('castellan_connections{status="created"} 1');
  expect(text).not.toContain(user.userId);
  for (const line of text.trim().split('\n'))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{[^}]*\})? -?[\d.e+-]+)$/);
});

test('a service that does not run is 503, not 500', async () => {
  const alone = await startTestCastellan({ services: ['gateway'] });
  const answer = await alone.admin.get('/v1/wa/user/list');
  expect([answer.status, answer.body.error.type]).toEqual([503, 'SERVICE_UNAVAILABLE']);
  await alone.end();
});

test('while it drains it is not ready, and afterwards not there', async () => {
  const other = await startTestCastellan();
  const gateway = other.broker.getLocalService('gateway') as GatewayService;
  await gateway.drain();
  await expect(other.broker.call('gateway.ready')).rejects.toMatchObject({ type: 'SHUTTING_DOWN' });
  await expect(other.admin.get('/health/live')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await other.end();
});

test('two systems live side by side in one process', async () => {
  const other = await startTestCastellan();
  await other.newUser('only-here');
  expect((await castellan.admin.get('/v1/wa/user/list')).text).not.toContain('only-here');
  expect((await other.admin.get('/v1/wa/user/list')).body.items).toHaveLength(1);
  await other.end();
});
