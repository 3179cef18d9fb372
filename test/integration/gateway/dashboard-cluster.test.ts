import type { NodeInfo } from '../../../lib/contracts/session-node.contract.ts';
import { startTestCastellan, type TestCastellan } from '../../helpers/castellan.ts';
import { eventually } from '../../helpers/eventually.ts';

const NODES = '/v1/wa/cluster/nodes';
const WORKERS = '/v1/wa/cluster/workers';

let castellan: TestCastellan;
let user: Awaited<ReturnType<TestCastellan['newUser']>>;
beforeEach(async () => {
  castellan = await startTestCastellan({ nodeId: 'node-a' });
  user = await castellan.newUser('person');
});
afterEach(() => castellan.end());

const node = async (): Promise<NodeInfo> => (await castellan.admin.get(NODES)).body.items[0];
const drain = (nodeId: string, body: object = {}) => castellan.admin.post(`${NODES}/${nodeId}/drain`, body);
const create = async (): Promise<string> => (await user.api.post('/v1/wa/connection/create', {})).body.connectionId;
const untilRunning = (connections: number) =>
  eventually(async () => expect(await node()).toMatchObject({ connections }));
const running = async () =>
  (await castellan.admin.get(WORKERS)).body.items.map(({ connectionId }: { connectionId: string }) => connectionId);

test('a node says what it runs, since when, with how much memory and traffic', async () => {
  await create();
  await untilRunning(1);
  const shown = await node();
  expect(shown).toMatchObject({
    nodeId: 'node-a',
    connections: 1,
    open: 0,
    messagesPerMinute: 0,
    draining: false,
    drainingSince: null,
  });
  expect(shown.memoryBytes).toBeGreaterThan(10_000_000);
  expect(Date.parse(shown.startedAt)).toBeLessThanOrEqual(Date.now());
  castellan.runtime.traffic.count(3);
  expect((await node()).messagesPerMinute).toBe(3);
});

test('workers are listed by page, and by node', async () => {
  const made = [await create(), await create(), await create()];
  await eventually(async () => expect((await running()).sort()).toEqual([...made].sort()));
  const first = (await castellan.admin.get(`${WORKERS}?limit=2`)).body;
  const second = (await castellan.admin.get(`${WORKERS}?limit=2&after=${first.next}`)).body;
  expect([first.items.length, second.items.length, second.next]).toEqual([2, 1, null]);
  expect(first.items[0]).toMatchObject({ nodeId: 'node-a', status: 'live', epoch: 1, endedAt: null });
  expect((await castellan.admin.get(`${WORKERS}?nodeId=node-a`)).body.items).toHaveLength(3);
  expect((await castellan.admin.get(`${WORKERS}?nodeId=node-b`)).body.items).toEqual([]);
});

test('a drained node hands over, begins nothing, and goes back to work when it is asked', async () => {
  const first = await create();
  await eventually(async () => expect(await running()).toEqual([first]));
  const answer = await drain('node-a');
  expect([answer.status, answer.body.draining]).toEqual([200, true]);
  expect(Date.parse(answer.body.drainingSince)).toBeGreaterThan(0);
  await untilRunning(0);
  expect(await running()).toEqual([]);
  const waiting = (await user.api.get(`/v1/wa/connection/${first}`)).body;
  expect([waiting.status, waiting.desiredState, waiting.worker]).toEqual(['connecting', 'running', null]);

  const second = await create();
  await user.api.post(`/v1/wa/connection/${first}/restart`, {});
  for (const connectionId of [first, second]) {
    const woken = await castellan.broker.call('session-node.wake', { connectionId });
    expect(woken).toEqual({ running: false });
  }
  expect((await node()).connections).toBe(0);
  expect((await drain('node-a', { draining: true })).body.drainingSince).toBe(answer.body.drainingSince);

  expect((await drain('node-a', { draining: false })).body).toMatchObject({ draining: false, drainingSince: null });
  await eventually(async () => expect((await running()).sort()).toEqual([first, second].sort()));
  expect((await node()).connections).toBe(2);
});

test('on a drained node a connection can still be stopped and deleted', async () => {
  const [stopped, deleted] = [await create(), await create()];
  await untilRunning(2);
  await drain('node-a');
  await untilRunning(0);
  await user.api.post(`/v1/wa/connection/${stopped}/stop`, {});
  await eventually(async () =>
    expect((await user.api.get(`/v1/wa/connection/${stopped}`)).body.status).toBe('stopped'),
  );
  await user.api.delete(`/v1/wa/connection/${deleted}`);
  const rows = castellan.runtime.store.collection('connections');
  await eventually(async () => expect(await rows.findOne({ _id: deleted })).toBeNull());
});

test('draining and coming back at once leaves everything running', async () => {
  const made = [await create(), await create()];
  await untilRunning(2);
  for (let n = 0; n < 5; n += 1) {
    await drain('node-a');
    await drain('node-a', { draining: false });
  }
  await eventually(async () => expect((await running()).sort()).toEqual([...made].sort()));
  await untilRunning(2);
});

test.each([
  ['a node that is not there', 'node-b', {}, 404, 'NOT_FOUND'],
  ['a node of no name', '%00', {}, 404, 'NOT_FOUND'],
  ['a word for yes', 'node-a', { draining: 'yes' }, 400, 'VALIDATION_ERROR'],
  ['an unknown field', 'node-a', { force: true }, 400, 'VALIDATION_ERROR'],
])('draining with %s is refused', async (_, nodeId, body, status, type) => {
  const answer = await drain(nodeId, body);
  expect([answer.status, answer.body.error.type]).toEqual([status, type]);
  expect((await node()).draining).toBe(false);
});

test('is nothing for users', async () => {
  for (const path of [NODES, WORKERS]) expect((await user.api.get(path)).status).toBe(403);
  expect((await user.api.post(`${NODES}/node-a/drain`, {})).status).toBe(403);
  expect((await node()).draining).toBe(false);
});
