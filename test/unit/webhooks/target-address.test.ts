import { isForbiddenAddress, parseTarget } from '../../../lib/webhooks/target-address.ts';

const outcome = (url: string, allowPrivateTargets = false) => {
  try {
    return parseTarget(url, { allowPrivateTargets }).href;
  } catch (error) {
    return (error as { type?: string }).type;
  }
};

describe('target addresses', () => {
  // fault 36, and its kin
  test.each([
    'http://127.0.0.1/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://017700000001/',
    'http://127。0。0。1/',
    'http://①②⑦.0.0.1/',
    'http://0/',
    'http://0.0.0.0:8080/',
    'http://10.1.2.3/',
    'http://172.31.255.255/',
    'http://192.168.0.1/',
    'http://100.64.0.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://168.63.129.16/',
    'http://192.0.0.170/',
    'http://198.18.0.1/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://[::1]/',
    'http://[::]/',
    'http://[::127.0.0.1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://[::ffff:8.8.8.8]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://[64:ff9b:1::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://[2001:0:7f00:1::]/',
    'http://[fe80::1]/',
    'http://[fec0::1]/',
    'http://[fd00:ec2::254]/',
    'http://[ff02::1]/',
    'http://localhost:3000/',
    'http://LOCALHOST./',
    'http://a.localhost/',
    'http://metadata.google.internal/',
    'http://printer.local/',
  ])('refuse %s', (url) => {
    expect(outcome(url)).toBe('TARGET_FORBIDDEN');
  });

  test.each([
    'https://user@example.com/',
    'https://:password@example.com/',
    'https://example.com:80@127.0.0.1/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'data:text/plain,x',
    'javascript:alert(1)',
    'ws://example.com/',
    'example.com/hook',
    '/hook',
    '',
    'http://',
    'http://[::1',
    'http://[fe80::1%25eth0]/',
    'http://256.256.256.256/',
    `https://example.com/${'x'.repeat(2_048)}`,
  ])('are no targets at all: %s', (url) => {
    expect(outcome(url)).toBe('BAD_REQUEST');
    expect(outcome(url, true)).toBe('BAD_REQUEST');
  });

  test('allow public ones, on any port', () => {
    expect(outcome('https://example.com/hook?x=1')).toBe('https://example.com/hook?x=1');
    expect(outcome('http://93.184.215.14:8443/')).toBe('http://93.184.215.14:8443/');
    expect(outcome('http://[2606:2800:21f:cb07::1]/')).toBe('http://[2606:2800:21f:cb07::1]/');
  });

  test('allow private ones where the configuration does', () => {
    expect(outcome('http://127.0.0.1:9000/hook', true)).toBe('http://127.0.0.1:9000/hook');
    expect(outcome('http://localhost:9000/hook', true)).toBe('http://localhost:9000/hook');
  });

  test('take whatever is no address for forbidden', () => {
    for (const address of ['', 'x', '1.2.3', '::g', 'fe80::1%lo']) expect(isForbiddenAddress(address)).toBe(true);
  });
});
