import type { CallContext } from '../../../mixins/define-service.ts';
import { createOwnerRouting } from '../../../mixins/owner-routing.mixin.ts';
import { eventually } from '../../helpers/eventually.ts';
import {
  INNER_SERVICES,
  type Line,
  type Member,
  type MemberProcess,
  startTestCluster,
  type TestCluster,
  type TestUser,
} from '../../helpers/test-cluster.ts';

/** One session-node that can be stopped in its tracks, a second one here that joins when the connections are placed. */
let cluster: TestCluster;
let inner: Member;
let owner: MemberProcess;
let user: TestUser;
let line: Line;
let other: Line;

beforeAll(async () => {
  cluster = await startTestCluster();
  inner = await cluster.join('inner', `gateway,${INNER_SERVICES}`);
  owner = await cluster.spawn('node-1', 'session-node');
  user = await cluster.newUser('ada');
  line = await cluster.openLine(user.api, '15550001111');
  other = await cluster.openLine(user.api, '15550002222');
}, 120_000);
afterAll(() => cluster?.end());

const connection = async ({ connectionId }: Line) => (await user.api.get(`/v1/wa/connection/${connectionId}`)).body;
const send = ({ connectionId }: Line, content: string, more: object = {}) =>
  user.api.post('/v1/wa/message/send', { connectionId, content, ...more });

/** Any session-node passes it on; one that has just been killed does not. */
const drain = (nodeId: string, draining: boolean) =>
  eventually(
    async () => {
      const { status, body } = await inner.admin.post(`/v1/wa/cluster/nodes/${nodeId}/drain`, { draining });
      expect(status).toBe(200);
      return body;
    },
    { timeoutMs: 30_000 },
  );
const untilWorkersAt = (nodeId: string) =>
  eventually(
    async () => {
      const { items } = (await inner.admin.get('/v1/wa/cluster/workers')).body;
      expect(items.map((worker: { nodeId: string }) => worker.nodeId)).toEqual([nodeId, nodeId]);
    },
    { timeoutMs: 40_000, intervalMs: 100 },
  );

test('a call that its owner gets after the caller has given up has no effect (fault 9)', async () => {
  const { callOwner } = createOwnerRouting({ ...inner.runtime, timeoutMs: 500 });
  const { connectionId } = line;
  const logout = () =>
    callOwner(inner.broker as unknown as CallContext, connectionId, 'session-node.logout', { connectionId });
  owner.signal('SIGSTOP');
  await expect(logout()).rejects.toMatchObject({ type: 'OUTCOME_UNKNOWN' });
  owner.signal('SIGCONT');
  /* the packets of one caller stay in order: whoever answers this one had the other before */
  expect(await inner.broker.call('session-node.info', {}, { nodeID: 'node-1' })).toMatchObject({ open: 2 });
  expect((await send(line, 'still here', { wait: 'sent' })).status).toBe(200);
  expect((await connection(line)).status).toBe('open');
});

test('a wake-up that cannot be delivered holds nobody up: the message goes when its owner is back', async () => {
  owner.signal('SIGSTOP');
  const startedAt = performance.now();
  const { status, body } = await send(line, 'patience');
  expect([status, performance.now() - startedAt < 4_000]).toEqual([202, true]);
  owner.signal('SIGCONT');
  await eventually(async () => {
    expect((await user.api.get(`/v1/wa/message/${body.messageId}`)).body.status).not.toBe('queued');
  });
});

test('nodes and workers are seen through any of them, and a node drains that another one is asked about', async () => {
  /* a machine that is busy with other tests makes longer gaps between two looks than one that is there for it */
  await cluster.join('node-2', 'session-node', { MEMBERSHIP_GAP_MS: '9000' });
  const { admin } = inner;
  await eventually(async () => {
    const { items } = (await admin.get('/v1/wa/cluster/nodes')).body;
    expect(items.map(({ nodeId }: { nodeId: string }) => nodeId).sort()).toEqual(['node-1', 'node-2']);
  });
  expect(await drain('node-1', true)).toMatchObject({ nodeId: 'node-1', draining: true });
  await untilWorkersAt('node-2');
  for (const each of [line, other]) {
    await cluster.untilStatus(user.api, each.connectionId, 'open');
    expect((await send(each, 'from the other node', { wait: 'sent', timeoutMs: 30_000 })).status).toBe(200);
  }
  expect((await admin.post('/v1/wa/cluster/nodes/nobody/drain', {})).status).toBe(404);
}, 90_000);

test('while its owner is dead a connection is a 503 or 504, until another node has taken it over', async () => {
  await drain('node-1', false);
  await drain('node-2', true);
  await untilWorkersAt('node-1');
  await owner.end('SIGKILL');
  await drain('node-2', false);
  const before = new Set<number>();
  const path = `/v1/wa/connection/${line.connectionId}/auth/pairing-code`;
  await eventually(
    async () => {
      const { status, body, headers } = await user.api.post(path, { phoneNumber: '15550001111' });
      if (status === 503) expect(headers['retry-after']).toBe('1');
      if (status !== 409) before.add(status);
      /* the node that runs it says that it needs no code */
      expect(body.error.type).toBe('WRONG_STATE');
    },
    { timeoutMs: 60_000, intervalMs: 100 },
  );
  expect([...before].filter((status) => status !== 503 && status !== 504)).toEqual([]);
  await untilWorkersAt('node-2');
  for (const each of [line, other]) {
    await cluster.untilStatus(user.api, each.connectionId, 'open');
    expect((await send(each, 'taken over', { wait: 'sent', timeoutMs: 30_000 })).status).toBe(200);
  }
}, 120_000);
