import { createMessaging, type Messaging } from '../../../lib/messaging/messaging.ts';
import type { ConnectionDoc, SessionDoc, SessionKeyDoc } from '../../../lib/storage/collections.ts';
import { type Simulator, startSimulator } from '../../../simulator/index.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type SessionNode, startSessionNode, TENANT } from '../../helpers/session-node.ts';

const CALLER = { userId: TENANT, role: 'user', keyId: 'key_test' } as const;

let simulator: Simulator;
let node: SessionNode;
let messaging: Messaging;
let nextPn = 15_550_020_000;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'lifecycle' });
  node = await startSessionNode({ simulator });
  messaging = createMessaging(node.runtime);
});

afterAll(async () => {
  await node.stop();
  await simulator.close();
});

afterEach(() => {
  simulator.faults.clear();
});

async function openConnection() {
  const [account] = simulator.devices.prepare(1);
  if (!account) throw new Error('no account');
  const connectionId = await node.addPaired(account);
  await node.untilStatus(connectionId, 'open');
  return { connectionId, pn: account.pn, phone: account.phone };
}

const createContact = () => {
  nextPn += 1;
  return simulator.devices.createContact({ pn: String(nextPn) });
};

const openSockets = (pn: string) =>
  simulator.witness.sockets.list({ open: true }).filter(({ device }) => device?.pn === pn);

async function send(connectionId: string, to: string, text: string) {
  const wakeOwner = () => void node.manager.wake(connectionId);
  return messaging.send(CALLER, { connectionId, to, content: text, wait: 'sent', timeoutMs: 10_000 }, { wakeOwner });
}

describe('an open connection', () => {
  it('sends what was accepted and keeps what arrives', async () => {
    const { connectionId, pn } = await openConnection();
    const contact = createContact();
    const { message, sent } = await send(connectionId, contact.pn, 'hello');
    expect(sent).toBe(true);
    const received = await contact.waitForMessage(({ text }) => text === 'hello');
    expect(received.id).toBe(message.waMessageId);
    await contact.sendText(pn, 'hello yourself');
    await eventually(async () => {
      const { items } = await messaging.list(CALLER, { connectionId, direction: 'inbound' });
      expect(items.map(({ content }) => content)).toEqual([{ type: 'text', text: 'hello yourself' }]);
    });
    expect(simulator.witness.messages.counts()).toMatchObject({ failures: 0 });
  });

  it('sends while it reconnects: the message waits and arrives once', async () => {
    const { connectionId, pn } = await openConnection();
    const contact = createContact();
    simulator.faults.set({ fault: { type: 'http-status', status: 500 }, times: 3 });
    simulator.faults.set({ fault: { type: 'drop' }, match: { pn } });
    await node.untilStatus(connectionId, 'reconnecting');
    await send(connectionId, contact.pn, 'after the storm');
    const received = await contact.waitForMessage(({ text }) => text === 'after the storm');
    expect(received.count).toBe(1);
  });

  it('ack 463 keeps it open and says that new chats are paused', async () => {
    const { connectionId, pn } = await openConnection();
    const contact = createContact();
    simulator.faults.set({ fault: { type: 'nack', code: 463 }, match: { pn, tag: 'message' }, times: 1 });
    await expect(send(connectionId, contact.pn, 'hi, stranger')).rejects.toMatchObject({
      type: 'REJECTED_BY_WHATSAPP',
    });
    await eventually(async () => {
      expect(await node.row(connectionId)).toMatchObject({
        status: 'open',
        statusCode: 463,
        restrictions: ['new_chats'],
      });
    });
    expect(openSockets(pn)).toHaveLength(1);
    const told = (await node.events(connectionId)).filter(({ type }) => type === 'connection.status').at(-1);
    expect(told?.data).toMatchObject({ status: 'open', previousStatus: 'open', code: 463 });
    await node.ask(connectionId);
    await eventually(async () => expect(await node.row(connectionId)).toMatchObject({ restrictions: [] }));
    await send(connectionId, contact.pn, 'hi again');
  });
});

describe('what a person asks for', () => {
  it('stop ends the socket and keeps the login; start opens it again with the next epoch', async () => {
    const { connectionId, pn } = await openConnection();
    const { epoch } = await node.row(connectionId);
    await node.ask(connectionId, { desiredState: 'stopped' });
    const stopped = await node.untilStatus(connectionId, 'stopped');
    expect(stopped.worker).toBeNull();
    await eventually(() => expect(openSockets(pn)).toHaveLength(0));
    await node.ask(connectionId, { desiredState: 'running' });
    const open = await node.untilStatus(connectionId, 'open');
    expect(open.epoch).toBe(epoch + 1);
  });

  it('restart opens a new socket with the same epoch, one at a time', async () => {
    const { connectionId, pn } = await openConnection();
    const { epoch } = await node.row(connectionId);
    const [before] = openSockets(pn);
    await node.ask(connectionId);
    await eventually(() => expect(openSockets(pn).map(({ id }) => id)).not.toContain(before?.id));
    const row = await node.untilStatus(connectionId, 'open');
    expect(row.epoch).toBe(epoch);
    expect(simulator.witness.sockets.overlaps()).toEqual([]);
  });

  it('logout tells WhatsApp and parks; a start then pairs anew over fresh credentials', async () => {
    const { connectionId, pn, phone } = await openConnection();
    await node.manager.logout(connectionId);
    const row = await node.row(connectionId);
    expect(row).toMatchObject({ status: 'logged_out', statusReason: 'Logged out on request.', worker: null });
    const requests = simulator.witness.stanzas({ pn, tag: 'iq', direction: 'in' });
    expect(requests.length).toBeGreaterThan(0);
    const { store } = node.runtime;
    expect(await store.collection<SessionKeyDoc>('sessionKeys').count({ connectionId })).toBeGreaterThan(0);

    await node.ask(connectionId);
    await node.untilStatus(connectionId, 'awaiting_pairing');
    await phone.scanQr((await node.auth(connectionId))?.code ?? '');
    await node.untilStatus(connectionId, 'open');
  });

  it('logout of a stopped connection opens it for the farewell', async () => {
    const { connectionId, pn } = await openConnection();
    await node.ask(connectionId, { desiredState: 'stopped' });
    await node.untilStatus(connectionId, 'stopped');
    await node.manager.logout(connectionId);
    expect(await node.row(connectionId)).toMatchObject({
      status: 'logged_out',
      statusReason: 'Logged out on request.',
      desiredState: 'stopped',
    });
    await eventually(() => expect(openSockets(pn)).toHaveLength(0));
  });

  it('deletion logs out, and leaves neither session nor messages nor the row', async () => {
    const { connectionId, pn } = await openConnection();
    await send(connectionId, createContact().pn, 'soon forgotten');
    await node.ask(connectionId, { desiredState: 'stopped', deletedAt: Date.now() });
    const { store } = node.runtime;
    await eventually(async () => {
      expect(await store.collection<ConnectionDoc>('connections').findOne({ _id: connectionId })).toBeNull();
    });
    expect(openSockets(pn)).toHaveLength(0);
    expect(await store.collection<SessionDoc>('sessions').findOne({ _id: connectionId })).toBeNull();
    for (const name of ['sessionKeys', 'sessionJournal', 'messages', 'remoteAuths', 'connectionHistory', 'workers']) {
      expect([name, await store.collection(name).count({ connectionId })]).toEqual([name, 0]);
    }
  });

  it('refuses commands for what is not there', async () => {
    await expect(node.manager.logout('con_none')).rejects.toMatchObject({ type: 'NOT_FOUND' });
    await expect(node.manager.requestPairingCode('con_none', '15550000000')).rejects.toMatchObject({
      type: 'NOT_FOUND',
    });
    expect(await node.manager.release('con_none')).toBe(false);
  });
});

describe('ownership', () => {
  it('a lock that another holds ends the activation silently; it comes back when the lock is free', async () => {
    const { connectionId, pn } = await openConnection();
    const { locks } = node.runtime;
    const key = `connection:${connectionId}`;
    await locks.claim(key, 'node-2:other', 60_000, { over: await locks.holderOf(key) });
    const { status, epoch } = await node.row(connectionId);
    await eventually(() => expect(openSockets(pn)).toHaveLength(0));
    expect(await node.row(connectionId)).toMatchObject({ status, epoch });
    await expect(node.manager.requestPairingCode(connectionId, '15550000001')).rejects.toMatchObject({
      type: 'WRONG_STATE',
    });
    await locks.release(key, 'node-2:other');
    await eventually(async () =>
      expect(await node.row(connectionId)).toMatchObject({ status: 'open', epoch: epoch + 1 }),
    );
  });

  it('a session that another activation took over dies silently, its socket with it', async () => {
    const { connectionId, pn } = await openConnection();
    const { epoch } = await node.row(connectionId);
    const other = { nodeId: 'node-2', incarnation: 'other' };
    /* it collides with whatever the running one writes at the same moment, and starts over */
    const taken = await eventually(() => node.runtime.sessions.takeOver(connectionId, TENANT, other));
    await taken.close({ release: false });
    await createContact().sendText(pn, 'makes it write');
    await eventually(async () => expect((await node.row(connectionId)).epoch).toBeGreaterThan(epoch + 1));
    await node.untilStatus(connectionId, 'open');
    expect(simulator.witness.sockets.overlaps()).toEqual([]);
  });
});
