import type { Clock } from '../../../lib/clock.ts';
import { createSessionCaches } from '../../../lib/session/baileys/session-caches.ts';
import { silenceLibsignal } from '../../../lib/session/baileys/silence-libsignal.ts';
import { createBoundedCache } from '../../../lib/session/bounded-cache.ts';

describe('a bounded cache', () => {
  it('forgets what was used least recently once it weighs too much', () => {
    const cache = createBoundedCache<string>(10, (value) => value.length);
    cache.set('a', 'xxxx');
    cache.set('b', 'xxxx');
    cache.get('a');
    cache.set('c', 'xxxx');
    expect([cache.has('a'), cache.has('b'), cache.has('c')]).toEqual([true, false, true]);
    cache.set('a', 'xxxxxx');
    expect(cache.size).toBe(2);
    cache.set('d', 'x'.repeat(11));
    expect(cache.size).toBe(0);
  });
});

describe('the caches of a socket', () => {
  it('are apart from those of every other activation, and expire only where they may', () => {
    let now = 0;
    const caches = createSessionCaches({ monotonic: () => now } as Clock);
    const one = caches.forActivation('con@1');
    const two = caches.forActivation('con@2');
    one.userDevicesCache.set('200', [{ user: '200', device: 3 }]);
    one.msgRetryCounterCache.set('m:p', 1);
    expect(two.userDevicesCache.get('200')).toBeUndefined();
    now = 100 * 24 * 60 * 60 * 1000;
    expect(one.userDevicesCache.get('200')).toEqual([{ user: '200', device: 3 }]);
    expect(one.msgRetryCounterCache.get('m:p')).toBeUndefined();
    one.userDevicesCache.del('200');
    expect(one.userDevicesCache.get('200')).toBeUndefined();
  });
});

describe('silencing libsignal', () => {
  it('holds back its lines and nobody else’s', () => {
    const printed: unknown[][] = [];
    const print = (...args: unknown[]) => void printed.push(args);
    const target = { log: print, info: print, warn: print, error: print } as unknown as Console;
    silenceLibsignal(target);
    silenceLibsignal(target);
    target.info('Closing session:', { privKey: 'secret' });
    target.error('Session error:Error: Bad MAC', 'stack');
    target.error('Session of the user ended');
    target.log({ an: 'object' });
    expect(printed).toEqual([['Session of the user ended'], [{ an: 'object' }]]);
  });
});
