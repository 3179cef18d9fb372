import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { createSecret, parseSecret, signatureHeaders } from '../../../lib/webhooks/signing.ts';

const body = JSON.stringify({ type: 'message.received', data: { text: 'Grüße 🏰' } });

function signNow(secret: string): Record<string, string> {
  const timestampS = Math.floor(Date.now() / 1_000);
  return signatureHeaders(parseSecret(secret), { id: 'evt_1', timestampS, body });
}

describe('webhook signatures', () => {
  test('are accepted by the Standard Webhooks library', () => {
    const secret = createSecret();
    expect(new Webhook(secret).verify(body, signNow(secret))).toEqual(JSON.parse(body));
  });

  test('are refused by it for another secret, body or id', () => {
    const secret = createSecret();
    const headers = signNow(secret);
    expect(() => new Webhook(createSecret()).verify(body, headers)).toThrow('No matching signature');
    expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow('No matching signature');
    expect(() => new Webhook(secret).verify(body, { ...headers, 'webhook-id': 'evt_2' })).toThrow('No matching');
  });

  test('can use an own secret of 24 to 64 bytes', () => {
    for (const size of [24, 32, 64]) {
      const secret = `whsec_${randomBytes(size).toString('base64')}`;
      expect(new Webhook(secret).verify(body, signNow(secret))).toEqual(JSON.parse(body));
    }
  });

  test.each([
    ['too short', `whsec_${randomBytes(23).toString('base64')}`],
    ['too long', `whsec_${randomBytes(65).toString('base64')}`],
    ['without prefix', randomBytes(32).toString('base64')],
    ['not base64', `whsec_${'*'.repeat(44)}`],
    ['base64url', `whsec_${Buffer.alloc(30, 0xff).toString('base64url')}`],
    ['empty', ''],
  ])('refuse a secret that is %s, without repeating it', (_, secret) => {
    const refusal = (() => {
      try {
        return parseSecret(secret);
      } catch (error) {
        return error as Error & { type?: string };
      }
    })();
    expect(refusal).toMatchObject({ type: 'BAD_REQUEST' });
    if (secret) expect(JSON.stringify(refusal)).not.toContain(secret);
  });
});
