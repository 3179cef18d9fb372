import { createMessaging } from '../../../lib/messaging/messaging.ts';
import type { PreparedAccount } from '../../../simulator/devices/prepare.ts';
import { type Simulator, startSimulator } from '../../../simulator/index.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type SessionNode, startSessionNode, TENANT } from '../../helpers/session-node.ts';

const CALLER = { userId: TENANT, role: 'user', keyId: 'key_t' } as const;

/* Real store, real Baileys; only WhatsApp itself is simulated. */
describe('the list of chats over real sockets', () => {
  let simulator: Simulator;
  let node: SessionNode;
  let account: PreparedAccount;
  let connectionId: string;

  beforeAll(async () => {
    simulator = await startSimulator({ seed: 'chats' });
    node = await startSessionNode({ simulator });
    account = simulator.devices.prepare(1)[0] as PreparedAccount;
    connectionId = await node.addPaired(account);
    await node.untilStatus(connectionId, 'open');
  });
  afterAll(async () => {
    await node.stop();
    await simulator.close();
  });

  const newest = async () => {
    const { items } = await createMessaging(node.runtime).chats.list(CALLER, { connectionId });
    return { ...items[0], content: items[0]?.lastMessage.content };
  };
  const until = (expected: object) => eventually(async () => expect(await newest()).toMatchObject(expected));

  it.each(['read', 'read-self'] as const)('counts what came until the phone reads it (%s)', async (type) => {
    const bob = simulator.devices.createContact({ pn: `1555777000${type.length}`, name: `Bob ${type}` });
    const first = await bob.sendText(account.pn, 'one');
    const second = await bob.sendText(account.pn, 'two');
    const chat = { name: `Bob ${type}`, content: { type: 'text', text: 'two' } };
    await until({ ...chat, unread: 2 });
    await eventually(() => account.phone.markRead([first.id, second.id], type));
    await until({ ...chat, unread: 0 });
    await bob.sendText(account.pn, 'three');
    await until({ name: `Bob ${type}`, unread: 1, content: { text: 'three' } });
    expect(node.runtime.traffic.perMinute()).toBeGreaterThan(2);
  });
});
