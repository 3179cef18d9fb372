import type { ConnectionStatus } from '../../../lib/contracts/entities.ts';
import type { SessionDoc, SessionKeyDoc } from '../../../lib/storage/collections.ts';
import type { FaultRule } from '../../../simulator/faults/fault.ts';
import { type Simulator, startSimulator } from '../../../simulator/index.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type SessionNode, startSessionNode } from '../../helpers/session-node.ts';

let simulator: Simulator;
let node: SessionNode;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'supervisor-table' });
  node = await startSessionNode({ simulator, random: () => 0.5 });
});

afterAll(async () => {
  await node.stop();
  await simulator.close();
});

afterEach(() => {
  simulator.faults.clear();
});

interface Paired {
  connectionId: string;
  pn: string;
}

async function openConnection(): Promise<Paired> {
  const [account] = simulator.devices.prepare(1);
  if (!account) throw new Error('no account');
  const connectionId = await node.addPaired(account);
  await node.untilStatus(connectionId, 'open');
  return { connectionId, pn: account.pn };
}

/** Strikes every login of this account, and the socket that is open now. */
function failEveryLogin(pn: string, reason: number, attributes?: Record<string, string>): void {
  simulator.faults.set({ fault: { type: 'login-failure', reason, ...(attributes && { attributes }) }, match: { pn } });
  strike(pn, { type: 'drop' });
}

function strike(pn: string, fault: FaultRule['fault'], rule: Partial<FaultRule> = {}): void {
  simulator.faults.set({ fault, match: { pn }, ...rule });
}

const openSockets = (pn: string) =>
  simulator.witness.sockets.list({ open: true }).filter(({ device }) => device?.pn === pn);
const logins = (pn: string) =>
  simulator.witness.sockets.list().filter(({ device, loginAt }) => device?.pn === pn && loginAt !== undefined);

async function statusEvents(connectionId: string) {
  const events = await node.events(connectionId);
  return events
    .filter(({ type }) => type === 'connection.status')
    .map(({ data }) => data as { status: string; previousStatus: string; reason: string | null; code?: number });
}

/** Nothing of it runs, and the login is still there. */
async function expectAtRest({ connectionId, pn }: Paired): Promise<void> {
  await eventually(() => expect(openSockets(pn)).toHaveLength(0));
  await eventually(async () => expect(await node.manager.ownerOf(connectionId)).toBeNull());
  expect(await node.liveWorkers(connectionId)).toHaveLength(0);
  expect((await node.row(connectionId)).worker).toBeNull();
  await expectCredentials(connectionId);
}

async function expectCredentials(connectionId: string): Promise<void> {
  const { store } = node.runtime;
  expect(await store.collection<SessionDoc>('sessions').findOne({ _id: connectionId })).not.toBeNull();
  expect(await store.collection<SessionKeyDoc>('sessionKeys').count({ connectionId })).toBeGreaterThan(0);
}

async function remove({ connectionId }: Paired): Promise<void> {
  await node.ask(connectionId, { desiredState: 'stopped' });
  await eventually(async () => expect(await node.manager.ownerOf(connectionId)).toBeNull());
}

describe('ends that park', () => {
  it.each<[code: number, status: ConnectionStatus]>([
    [401, 'logged_out'],
    [403, 'locked'],
    [406, 'banned'],
    [409, 'failed'],
    [411, 'needs_pairing'],
  ])('%i at login: %s, no further try, the login is kept', async (code, status) => {
    const paired = await openConnection();
    failEveryLogin(paired.pn, code);
    const row = await node.untilStatus(paired.connectionId, status);
    expect(row).toMatchObject({ statusCode: code, statusReason: expect.any(String), desiredState: 'running' });
    expect((await statusEvents(paired.connectionId)).at(-1)).toMatchObject({ status, code, reason: row.statusReason });
    await expectAtRest(paired);
  });

  it('401 to an open socket: logged_out', async () => {
    const paired = await openConnection();
    strike(paired.pn, { type: 'stream-error', code: 401 });
    const row = await node.untilStatus(paired.connectionId, 'logged_out');
    expect(row.statusCode).toBe(401);
    await expectAtRest(paired);
  });

  it('405: one try again, then outdated for good', async () => {
    const paired = await openConnection();
    const before = logins(paired.pn).length;
    failEveryLogin(paired.pn, 405);
    await node.untilStatus(paired.connectionId, 'outdated');
    await eventually(() => expect(simulator.faults.list()[0]?.struck).toBe(2));
    await expectAtRest(paired);
    expect(await node.row(paired.connectionId)).toMatchObject({ status: 'outdated', statusCode: 405 });
    expect(logins(paired.pn)).toHaveLength(before);
    expect(simulator.faults.list()[0]?.struck).toBe(2);
  });

  it('a parked connection is tried again when somebody asks, and not before', async () => {
    const paired = await openConnection();
    failEveryLogin(paired.pn, 403);
    await node.untilStatus(paired.connectionId, 'locked');
    await expectAtRest(paired);
    simulator.faults.clear();
    await node.restart('drained');
    await node.manager.wake(paired.connectionId);
    expect((await node.row(paired.connectionId)).status).toBe('locked');
    await node.ask(paired.connectionId);
    await node.untilStatus(paired.connectionId, 'open');
    await remove(paired);
  });
});

describe('ends that reconnect', () => {
  it.each<[what: string, code: number, fault: FaultRule['fault']]>([
    ['428: WhatsApp closes', 428, { type: 'drop' }],
    ['500: a stream error', 500, { type: 'stream-error', code: 500 }],
    ['an unknown stream error', 516, { type: 'stream-error', code: 516 }],
    ['503: not available', 503, { type: 'stream-error', code: 503 }],
    ['515: restart required', 515, { type: 'stream-error', code: 515 }],
  ])('%s: reconnects with the same epoch and no QR code', async (_what, code, fault) => {
    const paired = await openConnection();
    const { epoch } = await node.row(paired.connectionId);
    strike(paired.pn, fault);
    await eventually(async () => expect((await statusEvents(paired.connectionId)).map((e) => e.code)).toContain(code));
    const row = await node.untilStatus(paired.connectionId, 'open');
    expect(row.epoch).toBe(epoch);
    const statuses = (await statusEvents(paired.connectionId)).slice(-2).map(({ status }) => status);
    expect(statuses).toEqual([code === 515 ? 'connecting' : 'reconnecting', 'open']);
    expect(openSockets(paired.pn)).toHaveLength(1);
    expect(simulator.witness.sockets.overlaps()).toEqual([]);
    await expectCredentials(paired.connectionId);
    await remove(paired);
  });

  it('500 five times: degraded, and still trying', async () => {
    const paired = await openConnection();
    for (let time = 1; time <= 5; time += 1) {
      strike(paired.pn, { type: 'stream-error', code: 500 });
      await eventually(() => expect(logins(paired.pn)).toHaveLength(time + 1));
      const row = await node.untilStatus(paired.connectionId, 'open');
      expect(row.degraded).toBe(time === 5);
    }
    await remove(paired);
  });

  it('402: sleeps until the end of the ban, also over a restart, then opens', async () => {
    const paired = await openConnection();
    strike(paired.pn, { type: 'login-failure', reason: 402, attributes: { expire: '3' } }, { times: 1 });
    strike(paired.pn, { type: 'drop' });
    const row = await node.untilStatus(paired.connectionId, 'restricted');
    expect(row.sleepUntil).toBeGreaterThan(Date.now());
    await node.restart('killed');
    await eventually(async () => expect(await node.row(paired.connectionId)).toMatchObject({ epoch: row.epoch + 1 }));
    expect(await node.row(paired.connectionId)).toMatchObject({ status: 'restricted', sleepUntil: row.sleepUntil });
    const { updatedAt } = await node.untilStatus(paired.connectionId, 'open');
    expect(updatedAt).toBeGreaterThanOrEqual(row.sleepUntil ?? 0);
    await remove(paired);
  });

  it('440 once: one retry; twice: conflict, and no ping-pong', async () => {
    const paired = await openConnection();
    strike(paired.pn, { type: 'conflict' });
    await eventually(async () => expect((await statusEvents(paired.connectionId)).at(-1)?.status).toBe('open'));
    await eventually(() => expect(logins(paired.pn)).toHaveLength(2));
    await node.untilStatus(paired.connectionId, 'open');
    strike(paired.pn, { type: 'conflict' });
    const row = await node.untilStatus(paired.connectionId, 'conflict');
    expect(row.statusCode).toBe(440);
    await expectAtRest(paired);
    expect(logins(paired.pn)).toHaveLength(2);
  });

  it('440 where the lock is held elsewhere: yields without a word', async () => {
    const paired = await openConnection();
    const { locks } = node.runtime;
    const key = `connection:${paired.connectionId}`;
    await locks.claim(key, 'node-2:other', 60_000, { over: await locks.holderOf(key) });
    const before = await statusEvents(paired.connectionId);
    await eventually(() => expect(openSockets(paired.pn)).toHaveLength(0));
    expect(await statusEvents(paired.connectionId)).toEqual(before);
    await expect(node.manager.ownerOf(paired.connectionId)).resolves.toBe('node-2');
    await locks.release(key, 'node-2:other');
    await node.untilStatus(paired.connectionId, 'open');
    await remove(paired);
  });
});
