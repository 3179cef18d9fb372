import { isLoopback } from '../../../lib/http/loopback.ts';

test.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])('%s is this machine', (address) => {
  expect(isLoopback(address)).toBe(true);
});

test.each(['10.244.0.1', '::ffff:10.244.0.1', 'fe80::1', '128.0.0.1', '', undefined])('%s is not', (address) => {
  expect(isLoopback(address)).toBe(false);
});
