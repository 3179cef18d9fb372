import { type Simulator, startSimulator } from '../../../simulator/index.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type SessionNode, startSessionNode } from '../../helpers/session-node.ts';

let simulator: Simulator;
let node: SessionNode;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 'qr-rotation' });
  node = await startSessionNode({ simulator, socketTimings: { qrTimeoutMs: 150 } });
});

afterAll(async () => {
  await node.stop();
  await simulator.close();
});

describe('QR codes that nobody scans', () => {
  it('are replaced as WhatsApp says, then the connection parks as qr_expired until it is started again', async () => {
    const connectionId = await node.add();
    const row = await node.untilStatus(connectionId, 'qr_expired');
    expect(row).toMatchObject({ statusCode: 408, worker: null });
    expect(await node.auth(connectionId)).toMatchObject({ authState: 'expired', code: null });
    const shown = (await node.events(connectionId)).flatMap(({ type, data }) =>
      type === 'auth.qr' ? [(data as { auth: { qr: string; expiresAt: string } }).auth] : [],
    );
    expect(shown).toHaveLength(6);
    expect(new Set(shown.map(({ qr }) => qr)).size).toBe(6);
    expect(await node.liveWorkers(connectionId)).toHaveLength(0);
    await eventually(() => expect(simulator.witness.sockets.list({ open: true })).toHaveLength(0));

    await node.restart('drained');
    await node.manager.wake(connectionId);
    expect((await node.row(connectionId)).status).toBe('qr_expired');

    await node.ask(connectionId);
    await node.untilStatus(connectionId, 'awaiting_pairing');
    const auth = await node.auth(connectionId);
    expect(shown.map(({ qr }) => qr)).not.toContain(auth?.code);
    await node.ask(connectionId, { desiredState: 'stopped' });
    await node.untilStatus(connectionId, 'stopped');
  });

  it('a pairing code that nobody types expires too', async () => {
    const connectionId = await node.add({ pairing: { method: 'code', phoneNumber: '15550009999' } });
    await node.untilStatus(connectionId, 'qr_expired');
    const types = (await node.events(connectionId)).map(({ type }) => type);
    expect(types.filter((type) => type === 'auth.pairing_code')).toHaveLength(1);
    expect(types).not.toContain('auth.qr');
    expect(await node.auth(connectionId)).toMatchObject({ authState: 'expired', method: 'code', code: null });
  });
});
