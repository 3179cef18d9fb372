import { startTestCastellan } from '../../helpers/castellan.ts';
import { eventually } from '../../helpers/eventually.ts';

/* As on a machine without internet, where the name of the real WhatsApp cannot be resolved either (RFC 2606). */
const NOWHERE = 'wss://web.whatsapp.invalid/ws/chat';

test('without internet a connection shows reconnecting with the reason, backs off, and everything else is served', async () => {
  const whatsapp = { websocketUrl: NOWHERE, rootPublicKey: null, mediaHosts: [] };
  const castellan = await startTestCastellan({ whatsapp });
  try {
    const { api } = await castellan.newUser('offline');
    const { connectionId } = (await api.post('/v1/wa/connection/create', {})).body;
    const path = `/v1/wa/connection/${connectionId}`;
    await eventually(async () =>
      expect((await api.get(path)).body).toMatchObject({
        status: 'reconnecting',
        statusReason: expect.stringMatching(
          /^WhatsApp cannot be reached: the name web\.whatsapp\.invalid is not found/,
        ),
      }),
    );
    const send = { connectionId, to: '15550001111', content: 'hello' };
    expect((await api.post('/v1/wa/message/send', send)).status).toBe(409);
    expect((await api.get('/health/ready')).status).toBe(200);
    expect((await api.post(`${path}/stop`, {})).body).toMatchObject({ status: 'stopped', worker: null });
    const { items } = (await api.get(`${path}/history`)).body;
    expect(items.map(({ status }: { status: string }) => status)).toEqual([
      'stopped',
      'reconnecting',
      'connecting',
      'created',
    ]);
  } finally {
    await castellan.end();
  }
});
