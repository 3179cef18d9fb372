import { type Simulator, startSimulator } from '../../../simulator/index.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type SessionNode, startSessionNode } from '../../helpers/session-node.ts';

const SEED = 'pairing';
let simulator: Simulator;
let node: SessionNode;

beforeAll(async () => {
  simulator = await startSimulator({ seed: SEED });
  node = await startSessionNode({ simulator });
});

afterAll(async () => {
  await node.stop();
  await simulator.close();
});

describe('pairing', () => {
  it('shows a QR code, is scanned, and opens over the restart that WhatsApp asks for', async () => {
    const phone = simulator.devices.createPhone({ pn: '15550001001', name: 'Ada' });
    const connectionId = await node.add();
    await node.untilStatus(connectionId, 'awaiting_pairing');
    const auth = await node.auth(connectionId);
    expect(auth).toMatchObject({ authState: 'ready', method: 'qr', expiresAt: expect.any(Number) });
    await phone.scanQr(auth?.code ?? '');
    const row = await node.untilStatus(connectionId, 'open');
    expect(row.me).toMatchObject({ pn: '15550001001@s.whatsapp.net', lid: expect.stringMatching(/@lid$/) });
    expect(row.worker).toEqual({ nodeId: 'node-1', epoch: 1 });
    expect(await node.auth(connectionId)).toMatchObject({ authState: 'succeeded', code: null });
    const types = (await node.events(connectionId)).map(({ type, data }) =>
      type === 'connection.status' ? (data as { status: string }).status : type,
    );
    expect(types).toEqual(['connecting', 'auth.qr', 'awaiting_pairing', 'auth.succeeded', 'connecting', 'open']);
    const statuses = (await node.history(connectionId)).map(({ status, code }) => [status, code]);
    expect(statuses).toEqual([
      ['connecting', null],
      ['awaiting_pairing', null],
      ['connecting', 515],
      ['open', null],
    ]);
    expect(await node.liveWorkers(connectionId)).toHaveLength(1);
  });

  it('pairs by a code that was asked for while a QR code was shown', async () => {
    const phone = simulator.devices.createPhone({ pn: '15550001002' });
    const connectionId = await node.add();
    await node.untilStatus(connectionId, 'awaiting_pairing');
    const { pairingCode, expiresAt } = await node.manager.requestPairingCode(connectionId, '+15550001002');
    expect(pairingCode).toMatch(/^[0-9A-Z]{8}$/);
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
    expect(await node.auth(connectionId)).toMatchObject({ authState: 'ready', method: 'code', code: pairingCode });
    await phone.enterPairingCode(pairingCode);
    const row = await node.untilStatus(connectionId, 'open');
    expect(row.me?.pn).toBe('15550001002@s.whatsapp.net');
    const types = (await node.events(connectionId)).map(({ type }) => type);
    expect(types).toContain('auth.pairing_code');
    await expect(node.manager.requestPairingCode(connectionId, '15550001002')).rejects.toMatchObject({
      type: 'WRONG_STATE',
    });
  });

  it('pairs by the second code where the first one was never typed', async () => {
    const phone = simulator.devices.createPhone({ pn: '15550001003' });
    const connectionId = await node.add({ pairing: { method: 'code', phoneNumber: '15550001003' } });
    await node.untilStatus(connectionId, 'awaiting_pairing');
    const first = (await node.auth(connectionId))?.code;
    const { pairingCode } = await node.manager.requestPairingCode(connectionId, '15550001003');
    expect(pairingCode).not.toBe(first);
    /* the phone may not have heard of the second attempt yet */
    await eventually(() => phone.enterPairingCode(pairingCode));
    await node.untilStatus(connectionId, 'open');
  });

  it('reopens without a new code after a drained stop, and after a crash', async () => {
    const [account] = simulator.devices.prepare(1);
    if (!account) throw new Error('no account');
    const connectionId = await node.addPaired(account);
    const { epoch } = await node.untilStatus(connectionId, 'open');
    for (const [times, how] of (['drained', 'killed'] as const).entries()) {
      await node.restart(how);
      await eventually(async () =>
        expect(await node.row(connectionId)).toMatchObject({ status: 'open', epoch: epoch + times + 1 }),
      );
    }
    expect((await node.events(connectionId)).map(({ type }) => type)).not.toContain('auth.qr');
    expect(await node.liveWorkers(connectionId)).toHaveLength(1);
  });
});
