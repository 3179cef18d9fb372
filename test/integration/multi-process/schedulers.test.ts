import { eventually } from '../../helpers/eventually.ts';
import {
  type Line,
  type Member,
  type MemberProcess,
  startTestCluster,
  type TestCluster,
  type TestUser,
} from '../../helpers/test-cluster.ts';

let cluster: TestCluster;
let front: Member;
let leader: MemberProcess;
let user: TestUser;
let line: Line;

beforeAll(async () => {
  cluster = await startTestCluster();
  front = await cluster.join('front', 'gateway,users,connections,messages');
  leader = await cluster.spawn('scheduler-1', 'scheduler');
  await eventually(async () => expect(await leads()).toBe('scheduler-1'));
  await cluster.join('scheduler-2', 'scheduler');
  await cluster.join('node', 'session-node');
  user = await cluster.newUser('ada');
  line = await cluster.openLine(user.api, '15550001111');
}, 120_000);
afterAll(() => cluster?.end());

const leads = async () => (await front.runtime.locks.holderOf('lead:scheduler'))?.split(':')[0];

async function sendIn(ms: number): Promise<string> {
  const sendAt = new Date(Date.now() + ms).toISOString();
  const message = { connectionId: line.connectionId, content: 'later', sendAt };
  return (await user.api.post('/v1/wa/message/send', message)).body.messageId;
}

const untilSent = (messageId: string) =>
  eventually(
    async () => {
      const { status } = (await user.api.get(`/v1/wa/message/${messageId}`)).body;
      expect(['sent', 'delivered', 'read']).toContain(status);
    },
    { timeoutMs: 30_000 },
  );

test('scheduled messages go out although the leading scheduler dies before, and another one leads', async () => {
  const [soon, later] = [await sendIn(1_000), await sendIn(4_000)];
  await leader.end('SIGKILL');
  await untilSent(soon);
  await untilSent(later);
  await eventually(async () => expect(await leads()).toBe('scheduler-2'), { timeoutMs: 20_000 });
  await untilSent(await sendIn(500));
}, 120_000);
