import { type Simulator, startSimulator } from '../../simulator/index.ts';
import { BaileysClient } from '../helpers/baileys-client.ts';
import { eventually } from '../helpers/eventually.ts';

describe('pairing with the simulator', () => {
  let simulator: Simulator;
  const clients: BaileysClient[] = [];

  const newClient = (): BaileysClient => {
    const client = new BaileysClient(simulator);
    clients.push(client);
    return client;
  };

  beforeAll(async () => {
    simulator = await startSimulator({ seed: 'pairing' });
  });

  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await simulator.close();
  });

  it('links a real client by QR code, restarts it and logs it in', async () => {
    const phone = simulator.devices.createPhone({ pn: '15550000001', name: 'Ada' });
    const client = newClient();
    client.connect();
    const address = await phone.scanQr(await client.waitQr());
    await client.waitOpen();
    expect(client.creds.me?.id).toBe(`15550000001:${address.device}@s.whatsapp.net`);
    expect(client.creds.me?.lid).toBe(`${address.lid}:${address.device}@lid`);
    expect(client.ends).toEqual([515]);
    await eventually(() => expect(client.creds.accountSyncCounter).toBe(1), { timeoutMs: 5_000 });
    expect(client.creds.myAppStateKeyId).toBeTruthy();
    expect(simulator.server.world.directory.device(address)?.keys.preKeys.length).toBeGreaterThan(700);
  });

  it('links a real client by pairing code, typed with a dash', async () => {
    const phone = simulator.devices.createPhone({ pn: '15550000002' });
    const client = newClient();
    client.connect();
    await client.waitQr();
    const code = await client.sock.requestPairingCode('15550000002');
    await phone.enterPairingCode(`${code.slice(0, 4)}-${code.slice(4)}`);
    await client.waitOpen();
    expect(client.creds.me?.id).toMatch(/^15550000002:\d+@s\.whatsapp\.net$/);
  });

  it('takes the right pairing code after a wrong one', async () => {
    const phone = simulator.devices.createPhone({ pn: '15550000005' });
    const client = newClient();
    client.connect();
    await client.waitQr();
    const code = await client.sock.requestPairingCode('15550000005', 'ABCDEFGH');
    await expect(phone.enterPairingCode('ABCD-EFG1')).rejects.toThrow('wrong');
    await phone.enterPairingCode(code);
    await client.waitOpen();
  });

  it('refuses refs that no socket waits for', async () => {
    const phone = simulator.devices.createPhone({ pn: '15550000006' });
    const client = newClient();
    client.connect();
    const qr = await client.waitQr();
    client.kill();
    await eventually(async () => {
      await expect(phone.scanQr(qr)).rejects.toThrow('No socket waits for this ref');
    });
  });

  it('removes a companion that logs out, and does not let it in again', async () => {
    const phone = simulator.devices.createPhone({ pn: '15550000003' });
    const client = newClient();
    client.connect();
    const address = await phone.scanQr(await client.waitQr());
    await client.waitOpen();
    await client.sock.logout();
    await eventually(() => expect(simulator.server.world.directory.device(address)).toBeUndefined());
    client.connect();
    await client.waitEnd(401);
    expect(client.ends.at(-1)).toBe(401);
  });

  it('tells a companion that the phone removed it', async () => {
    const phone = simulator.devices.createPhone({ pn: '15550000004' });
    const client = newClient();
    client.connect();
    const { device } = await phone.scanQr(await client.waitQr());
    await client.waitOpen();
    await phone.removeCompanion(device);
    await client.waitEnd(401);
  });

  it('gives the older socket a conflict when the device logs in a second time', async () => {
    const [account] = simulator.devices.prepare(1);
    if (!account) throw new Error('nothing prepared');
    const older = new BaileysClient(simulator, { auth: account });
    const newer = new BaileysClient(simulator, { auth: account });
    clients.push(older, newer);
    await older.open();
    await newer.open();
    await older.waitEnd(440);
    expect(newer.isOpen).toBe(true);
    expect(simulator.witness.sockets.overlaps()).toHaveLength(1);
  });
});
