import type { ConnectionDoc, SessionKeyDoc } from '../../../lib/storage/collections.ts';
import { type Simulator, startSimulator } from '../../../simulator/index.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type SessionNode, startSessionNode } from '../../helpers/session-node.ts';
import { makeUnsteady, type UnsteadyStore } from '../../helpers/unsteady-store.ts';

let simulator: Simulator;
let node: SessionNode;
let store: UnsteadyStore;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'store-trouble' });
});

afterAll(() => simulator.close());

beforeEach(async () => {
  node = await startSessionNode({
    simulator,
    patienceMs: 300,
    wrapStore(steady) {
      store = makeUnsteady(steady);
      return store;
    },
  });
});

afterEach(async () => {
  store.fault = () => 'none';
  await node.stop();
});

async function openConnection() {
  /* the account's phone would answer with receipts of its own */
  const [account] = simulator.devices.prepare(1, { phones: 'offline' });
  if (!account) throw new Error('no account');
  const connectionId = await node.addPaired(account);
  await node.untilStatus(connectionId, 'open');
  return { connectionId, pn: account.pn };
}

const openSockets = (pn: string) =>
  simulator.witness.sockets.list({ open: true }).filter(({ device }) => device?.pn === pn);

describe('a store that goes away', () => {
  it('ends the socket, acknowledges nothing meanwhile, and everything comes back by itself', async () => {
    const { connectionId, pn } = await openConnection();
    const { epoch } = await node.row(connectionId);
    const contact = simulator.devices.createContact({ pn: '15550030001' });
    store.fault = () => 'refuse';
    const { id } = await contact.sendText(pn, 'while it is away');
    await eventually(() => expect(openSockets(pn)).toHaveLength(0));
    expect(contact.receipts.all.filter(({ ids }) => ids.includes(id))).toEqual([]);
    store.fault = () => 'none';
    await eventually(async () => {
      const row = await node.row(connectionId);
      expect(row.status).toBe('open');
      expect(row.epoch).toBeGreaterThan(epoch);
    });
    await eventually(async () => {
      expect(await node.runtime.store.collection('messages').count({ connectionId, waMessageId: id })).toBe(1);
    });
    expect(simulator.witness.sockets.overlaps()).toEqual([]);
  });
});

describe('a session that cannot be read', () => {
  it('is quarantined, never started over, and left as it is', async () => {
    const { connectionId } = await openConnection();
    await node.ask(connectionId, { desiredState: 'stopped' });
    await node.untilStatus(connectionId, 'stopped');
    const keys = store.collection<SessionKeyDoc>('sessionKeys');
    const credentials = (await keys.find({ connectionId })).filter(({ value }) => value !== null);
    for (const { _id, value } of credentials) {
      const flipped = Uint8Array.from(value ?? []);
      flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
      await keys.updateOne({ _id }, { $set: { value: flipped } });
    }
    const before = await keys.find({ connectionId }, { sort: [['_id', 1]] });
    await node.ask(connectionId, { desiredState: 'running' });
    const row = await node.untilStatus(connectionId, 'quarantined');
    expect(row.statusReason).toContain('left untouched');
    expect(await keys.find({ connectionId }, { sort: [['_id', 1]] })).toEqual(before);
    expect((await node.events(connectionId)).map(({ type }) => type)).not.toContain('auth.qr');
    expect(await node.manager.ownerOf(connectionId)).toBeNull();
  });
});

describe('what reconcile reads', () => {
  it('looks at changed rows only, between full passes', async () => {
    await openConnection();
    const rows = store.collection<ConnectionDoc>('connections');
    await rows.updateMany({}, { $set: { updatedAt: Date.now() - 3_600_000 } });
    await eventually(async () => {
      store.calls.length = 0;
      await new Promise((resolve) => setTimeout(resolve, 300));
      const looks = store.calls.filter((call) => call === 'connections.find').length;
      const single = store.calls.filter((call) => call === 'connections.findOne').length;
      expect({ looks: looks >= 3, single }).toEqual({ looks: true, single: 0 });
    });
  });
});
