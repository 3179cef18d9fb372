import { refusedUpgrade, toSocketEnd } from '../../../lib/session/baileys/socket-end.ts';

const NOW = Date.UTC(2026, 5, 1);
const boom = (statusCode: number, message: string, data?: unknown) =>
  Object.assign(new Error(message), { output: { statusCode }, data });

describe('what Baileys says when a socket ends', () => {
  it('keeps the code and the words', () => {
    expect(toSocketEnd(boom(428, 'Connection Terminated'), NOW)).toEqual({
      code: 428,
      reason: 'Connection Terminated',
    });
  });

  it.each([
    [{ code: 'ENOTFOUND', hostname: 'web.whatsapp.com' }, /^the name web\.whatsapp\.com is not found/],
    [{ code: 'EAI_AGAIN', hostname: 'web.whatsapp.com' }, /^the name web\.whatsapp\.com is not found/],
    [{ code: 'ECONNREFUSED', address: '::1', port: 443 }, /^::1:443 refuses the connection$/],
    [{ code: 'ECONNREFUSED' }, /^the connection is refused$/],
    [{ code: 'ENETUNREACH', address: '1.2.3.4' }, /no way to it/],
    [{ code: 'ECONNRESET' }, /broke the connection off/],
    [{ code: 'EPROTO' }, /^WebSocket Error \(x\)$/],
  ])('says in words what the network says: %j', (error, words) => {
    expect(toSocketEnd(boom(408, 'WebSocket Error (x)', error), NOW)).toMatchObject({
      code: 408,
      reason: expect.stringMatching(words),
    });
  });

  it('takes an error without a code as a stream error, nothing at all as a close', () => {
    expect(toSocketEnd(new Error('noise'), NOW).code).toBe(500);
    expect(toSocketEnd(undefined, NOW).code).toBe(428);
  });

  it('dates a ban that comes as a duration in seconds, and takes one that comes as a time', () => {
    expect(toSocketEnd(boom(402, 'Connection Failure', { reason: '402', expire: '3600' }), NOW).expiresAt).toBe(
      NOW + 3_600_000,
    );
    const end = NOW / 1_000 + 60;
    expect(toSocketEnd(boom(402, 'Connection Failure', { expire: String(end) }), NOW).expiresAt).toBe(end * 1_000);
    expect(toSocketEnd(boom(402, 'Connection Failure', {}), NOW).expiresAt).toBeUndefined();
  });

  it('knows that the codes were used up', () => {
    expect(toSocketEnd(boom(408, 'QR refs attempts ended'), NOW).pairingExpired).toBe(true);
    expect(toSocketEnd(boom(408, 'Connection was lost'), NOW).pairingExpired).toBeUndefined();
  });

  it('tells the removal of the device from a replacement', () => {
    const conflict = (type: string) => ({ tag: 'conflict', attrs: { type } });
    expect(toSocketEnd(boom(440, 'Stream Errored (conflict)', conflict('device_removed')), NOW).code).toBe(401);
    expect(toSocketEnd(boom(440, 'Stream Errored (conflict)', conflict('replaced')), NOW).code).toBe(440);
  });

  it('takes a refused upgrade as lost, HTTP 503 as unavailable', () => {
    expect(refusedUpgrade(405).code).toBe(408);
    expect(refusedUpgrade(503).code).toBe(503);
  });
});
