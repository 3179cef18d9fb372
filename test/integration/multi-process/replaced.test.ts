import type { ConnectionHistoryEntry } from '../../../lib/contracts/entities.ts';
import { eventually } from '../../helpers/eventually.ts';
import {
  INNER_SERVICES,
  type Line,
  type MemberProcess,
  startTestCluster,
  type TestCluster,
  type TestUser,
} from '../../helpers/test-cluster.ts';

/* a machine that is busy with other tests makes longer gaps between two looks than one that is there for it */
const PATIENT = { MEMBERSHIP_GAP_MS: '9000' };

let cluster: TestCluster;
let user: TestUser;
let former: MemberProcess;

beforeAll(async () => {
  cluster = await startTestCluster();
  await cluster.join('inner', `gateway,${INNER_SERVICES}`);
  former = await cluster.spawn('node-1', 'session-node', PATIENT);
  await cluster.spawn('node-2', 'session-node', PATIENT);
  user = await cluster.newUser('ada');
}, 120_000);
afterAll(() => cluster?.end());

const workerOf = async ({ connectionId }: Line) =>
  (await user.api.get(`/v1/wa/connection/${connectionId}`)).body.worker?.nodeId;

/** Of two nodes the ring chooses either. */
async function openLineAt(nodeId: string): Promise<Line> {
  for (let n = 0; n < 20; n += 1) {
    const line = await cluster.openLine(user.api, `${15550001000 + n}`);
    if ((await workerOf(line)) === nodeId) return line;
  }
  throw new Error(`${nodeId} got none of twenty`);
}

test('what a killed node ran opens on the other one, and moves to the node that came in its place (fault 1)', async () => {
  const line = await openLineAt('node-1');
  await former.end('SIGKILL');
  /* as a pod that is deleted by force: the same name, another seat */
  await cluster.spawn('node-1', 'session-node', { ...PATIENT, DATA_DIR: `${cluster.dataDir}/another` });
  await eventually(async () => expect(await workerOf(line)).toBe('node-2'), { timeoutMs: 30_000 });
  await eventually(async () => expect(await workerOf(line)).toBe('node-1'), { timeoutMs: 30_000 });
  await cluster.untilStatus(user.api, line.connectionId, 'open');
  const { items } = (await user.api.get(`/v1/wa/connection/${line.connectionId}/history`)).body;
  const opened = (items as ConnectionHistoryEntry[]).filter(({ status }) => status === 'open').reverse();
  expect(opened.map(({ nodeId, epoch }) => [nodeId, epoch])).toEqual([
    ['node-1', 1],
    ['node-2', 2],
    ['node-1', 3],
  ]);
  expect(cluster.simulator.witness.sockets.overlaps()).toEqual([]);
}, 120_000);
