import { checkHeaders } from '../../../lib/webhooks/header-rules.ts';

const refused = expect.objectContaining({ type: 'BAD_REQUEST' });
const refusal = (headers: Record<string, string>) => {
  try {
    return checkHeaders(headers);
  } catch (error) {
    return error;
  }
};

describe('headers of a webhook', () => {
  test('are kept, with lower-case names', () => {
    expect(checkHeaders({ Authorization: 'Bearer a.b-c', 'X-Tenant_Id': '7' })).toEqual({
      authorization: 'Bearer a.b-c',
      'x-tenant_id': '7',
    });
  });

  // fault 42
  test.each(['a\r\nx: y', 'a\nb', 'a\rb', 'a\0b', 'é', ' leading', 'trailing ', 'a\u2028b', 'x'.repeat(1_025)])(
    'refuse the value %j',
    (value) => {
      expect(refusal({ 'x-note': value })).toEqual(refused);
    },
  );

  test.each(['x y', 'x:y', 'x\r\ny', '', '__proto__', '-x', 'é', 'x'.repeat(65)])('refuse the name %j', (name) => {
    expect(refusal(Object.fromEntries([[name, 'v']]))).toEqual(refused);
  });

  test.each([
    'Host',
    'content-length',
    'Content-Type',
    'transfer-encoding',
    'Connection',
    'keep-alive',
    'TE',
    'trailer',
    'upgrade',
    'Expect',
    'proxy-authorization',
    'Webhook-Signature',
    'webhook-id',
  ])('refuse to override %s', (name) => {
    expect(refusal({ [name]: 'v' })).toEqual(refused);
  });

  test('refuse the same name twice and more than 20', () => {
    expect(refusal({ 'X-A': '1', 'x-a': '2' })).toEqual(refused);
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`x-${index}`, 'v']));
    expect(refusal(many)).toEqual(refused);
  });
});
