import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { type Simulator, startSimulator } from '../../../simulator/index.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type SessionNode, startSessionNode } from '../../helpers/session-node.ts';

/** Baileys' handlers are async: what they throw would end the process, were it not contained. */

let simulator: Simulator;
const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'faulty-frames' });
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
});

afterAll(async () => {
  process.off('unhandledRejection', note);
  process.off('uncaughtException', note);
  await simulator.close();
});

async function serve(garbage: () => Buffer) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  let frames = 0;
  server.on('connection', (client) => {
    client.on('message', () => {
      frames += 1;
      client.send(garbage());
    });
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    frames: () => frames,
    async close() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('a server that sends nonsense', () => {
  it.each([
    ['noise', () => Buffer.from(Array.from({ length: 200 }, (_, n) => (n * 37) % 256))],
    ['a short frame', () => Buffer.from([0, 0, 3, 1, 2, 3])],
    ['an empty frame', () => Buffer.from([0, 0, 0])],
  ])('%s ends the socket, not the process', async (_what, garbage) => {
    const server = await serve(garbage);
    const { rootPublicKey } = simulator;
    const node: SessionNode = await startSessionNode({
      simulator: { url: server.url, rootPublicKey },
      socketTimings: { connectTimeoutMs: 300, watchdogGraceMs: 100 },
    });
    try {
      const connectionId = await node.add();
      await node.untilStatus(connectionId, 'reconnecting');
      await eventually(() => expect(server.frames()).toBeGreaterThanOrEqual(3));
      expect(unhandled).toEqual([]);
    } finally {
      await node.stop();
      await server.close();
    }
  });

  it('leaves the process-wide switch of event emitters as it was', () => {
    expect(EventEmitter.captureRejections).toBe(false);
  });
});

describe('a node that cannot prove that a session is its own', () => {
  it('writes nothing more, and ends the socket at the next write', async () => {
    const node = await startSessionNode({
      simulator,
      timings: { leaseDeadlineMs: 2_000, renewIntervalMs: 60_000 },
      socketTimings: { keepAliveIntervalMs: 150 },
    });
    try {
      const [account] = simulator.devices.prepare(1);
      if (!account) throw new Error('no account');
      const connectionId = await node.addPaired(account);
      const sockets = () => simulator.witness.sockets.list().filter(({ device }) => device?.pn === account.pn);
      await eventually(() => expect(sockets().length).toBeGreaterThanOrEqual(1));
      await eventually(() => expect(sockets()[0]?.closedAt).toBeDefined());
      const [first] = sockets();
      const openedAt = first?.openedAt ?? Number.NaN;
      /* on a busy machine its time may be over before it said anything after its login */
      const lived = (first?.lastFrameInAt ?? openedAt) - openedAt;
      expect(lived).toBeLessThanOrEqual(2_000);
      expect((await node.row(connectionId)).status).not.toBe('stopped');
    } finally {
      await node.stop();
    }
  });

  it('ends the socket of a session that it is handing over, too, while the last words wait for the store', async () => {
    let holds = false;
    const held: (() => void)[] = [];
    const node = await startSessionNode({
      simulator,
      timings: { leaseDeadlineMs: 3_000, renewIntervalMs: 60_000 },
      wrapStore: (store) => ({
        ...store,
        async atomically(writes) {
          if (holds) await new Promise<void>((resolve) => held.push(resolve));
          return store.atomically(writes);
        },
      }),
    });
    try {
      const [account] = simulator.devices.prepare(1);
      if (!account) throw new Error('no account');
      const connectionId = await node.addPaired(account);
      const sockets = () => simulator.witness.sockets.list().filter(({ device }) => device?.pn === account.pn);
      await eventually(() => expect(sockets()[0]?.loginAt).toBeDefined());
      await node.untilStatus(connectionId, 'open');
      holds = true;
      const released = node.manager.release(connectionId);
      await eventually(() => expect(held.length).toBeGreaterThan(0));
      await eventually(() => expect(sockets()[0]?.closedAt).toBeDefined());
      expect(held.length).toBeGreaterThan(0);
      holds = false;
      for (const go of held) go();
      expect(await released).toBe(true);
    } finally {
      holds = false;
      for (const go of held) go();
      await node.stop();
    }
  });
});
