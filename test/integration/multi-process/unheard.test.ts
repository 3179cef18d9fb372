import { eventually } from '../../helpers/eventually.ts';
import {
  INNER_SERVICES,
  type Member,
  type MemberProcess,
  startTestCluster,
  type TestCluster,
} from '../../helpers/test-cluster.ts';

/** Two processes of services and one gateway; one of the two is killed. */
let cluster: TestCluster;
let gateway: Member;
let killed: MemberProcess;

beforeAll(async () => {
  cluster = await startTestCluster();
  gateway = await cluster.join('gateway', 'gateway');
  await cluster.join('inner-1', INNER_SERVICES);
  killed = await cluster.spawn('inner-2', INNER_SERVICES);
}, 120_000);
afterAll(() => cluster?.end());

const list = () => gateway.admin.get('/v1/wa/user/list');
/** Has a connection of its own to the bus; resolves when the server has taken note that the other one's is gone. */
const untilUnheard = () =>
  eventually(async () => {
    await expect(gateway.broker.call('users.list', {}, { nodeID: 'inner-2', timeout: 500 })).rejects.toMatchObject({
      type: 'SERVICE_NOT_AVAILABLE',
    });
  });

test('a call to a process that was killed ends at once, and all others go to the one that lives', async () => {
  expect((await list()).status).toBe(200);
  await killed.end('SIGKILL');
  const killedAt = performance.now();
  await untilUnheard();
  /* long before the bus takes it for gone by its silence (6 s) */
  expect(performance.now() - killedAt).toBeLessThan(4_000);
  const answers = await Promise.all(Array.from({ length: 10 }, list));
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
}, 30_000);

test('a process that comes back under the same name is called again', async () => {
  await cluster.spawn('inner-2', INNER_SERVICES);
  await eventually(async () => {
    await gateway.broker.call('users.list', {}, { nodeID: 'inner-2' });
  });
}, 60_000);
