import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { type Simulator, startSimulator } from '../../../simulator/index.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type SessionNode, startSessionNode } from '../../helpers/session-node.ts';

/** What a server can do wrong without a word: every wait must have an end, and leave nothing. */

let simulator: Simulator;
let node: SessionNode;
let connectionId: string;
let pn: string;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'supervisor-silence' });
});

afterAll(() => simulator.close());

beforeEach(async () => {
  node = await startSessionNode({
    simulator,
    socketTimings: { connectTimeoutMs: 300, watchdogGraceMs: 200, keepAliveIntervalMs: 500 },
  });
  const [account] = simulator.devices.prepare(1);
  if (!account) throw new Error('no account');
  pn = account.pn;
  connectionId = await node.addPaired(account);
  await node.untilStatus(connectionId, 'open');
});

afterEach(async () => {
  simulator.faults.clear();
  await node.stop();
});

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
const tcp = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;

async function reasons(): Promise<string[]> {
  return (await node.history(connectionId)).map(({ code, reason }) => `${code} ${reason}`);
}

describe('a server that says nothing', () => {
  it.each([
    [503, 503, 'not available'],
    [405, 408, 'HTTP 405'],
  ])('HTTP %i on the upgrade is noticed, and tried again', async (status, code, words) => {
    simulator.faults.set({ fault: { type: 'http-status', status }, times: 2 });
    simulator.faults.set({ fault: { type: 'drop' }, match: { pn } });
    await eventually(async () => {
      const row = await node.row(connectionId);
      expect(row).toMatchObject({ statusCode: code, statusReason: expect.stringContaining(words) });
    });
    await node.untilStatus(connectionId, 'open');
    expect(simulator.faults.list()[0]?.struck).toBe(2);
  });

  it('a refused TCP connection is tried again', async () => {
    simulator.faults.set({ fault: { type: 'refuse' }, times: 2 });
    simulator.faults.set({ fault: { type: 'drop' }, match: { pn } });
    await eventually(() => expect(simulator.faults.list()[0]?.struck).toBe(2));
    await node.untilStatus(connectionId, 'open');
    expect((await reasons()).some((reason) => reason.startsWith('428') || reason.startsWith('408'))).toBe(true);
  });

  it('a WebSocket that never handshakes is given up as 408', async () => {
    simulator.faults.set({ fault: { type: 'hang' }, times: 1 });
    simulator.faults.set({ fault: { type: 'drop' }, match: { pn } });
    await eventually(async () => expect((await node.row(connectionId)).statusCode).toBe(408));
    await node.untilStatus(connectionId, 'open');
  });

  it('a half-open socket is given up as 408 after the keep-alive', async () => {
    simulator.faults.set({ fault: { type: 'half-open' }, match: { pn } });
    await eventually(async () => expect((await node.row(connectionId)).statusCode).toBe(408), { timeoutMs: 15_000 });
    await node.untilStatus(connectionId, 'open');
  });

  it('stops within a second while the peer is silent, and leaves no worker', async () => {
    simulator.faults.set({ fault: { type: 'half-open' }, match: { pn } });
    const before = performance.now();
    await node.manager.release(connectionId);
    expect(performance.now() - before).toBeLessThan(1_000);
    expect(await node.liveWorkers(connectionId)).toHaveLength(0);
  });
});

describe('a TCP server that accepts and never answers', () => {
  const peers = new Set<Socket>();
  let mute: Server;
  let accepted = 0;
  let mostAtOnce = 0;
  let muteNode: SessionNode;

  beforeEach(async () => {
    mute = createServer((peer) => {
      peers.add(peer);
      mostAtOnce = Math.max(mostAtOnce, peers.size);
      accepted += 1;
      /* who does not read does not see an end */
      peer.resume();
      peer.on('error', () => undefined);
      peer.on('close', () => peers.delete(peer));
    });
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const url = `ws://127.0.0.1:${(mute.address() as AddressInfo).port}/`;
    muteNode = await startSessionNode({
      simulator: { url, rootPublicKey: simulator.rootPublicKey },
      socketTimings: { connectTimeoutMs: 100, watchdogGraceMs: 100 },
    });
  });

  afterEach(async () => {
    await muteNode.stop();
    for (const peer of peers) peer.destroy();
    await new Promise((resolve) => mute.close(resolve));
  });

  it('is given up again and again, one socket at a time', async () => {
    const id = await muteNode.add();
    await muteNode.untilStatus(id, 'reconnecting');
    await eventually(() => expect(accepted).toBeGreaterThanOrEqual(5));
    await muteNode.manager.release(id);
    await eventually(() => expect(peers.size).toBe(0));
    expect(mostAtOnce).toBeLessThanOrEqual(2);
  });
});

describe('an ended activation', () => {
  it('leaves no timer and no socket, however often it is opened and ended', async () => {
    await node.ask(connectionId, { desiredState: 'stopped' });
    await node.untilStatus(connectionId, 'stopped');
    /* sockets of the tests before may be half-open at the simulator still */
    const open = () => simulator.witness.sockets.list({ open: true }).filter(({ device }) => device?.pn === pn);
    await eventually(() => expect(open()).toHaveLength(0));
    const settle = () => new Promise((resolve) => setTimeout(resolve, 400));
    await settle();
    const before = { timers: timers(), tcp: tcp() };
    for (let round = 0; round < 5; round += 1) {
      await node.ask(connectionId, { desiredState: 'running' });
      await node.untilStatus(connectionId, 'open');
      await node.ask(connectionId, { desiredState: 'stopped' });
      await node.untilStatus(connectionId, 'stopped');
    }
    await eventually(() => {
      expect(timers()).toBeLessThanOrEqual(before.timers);
      expect(tcp()).toBeLessThanOrEqual(before.tcp);
    });
    expect(node.manager.info()).toMatchObject({ connections: 0, open: 0 });
  });
});
