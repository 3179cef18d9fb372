import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { createGuardedFetch, type GuardedRequest } from '../../../lib/webhooks/guarded-fetch.ts';
import { type HttpReceiver, httpReceiver } from '../../helpers/http-receiver.ts';

const LOOPBACK = { address: '127.0.0.1', family: 4 };
const PUBLIC = { address: '93.184.215.14', family: 4 };

/** A resolver that gives the answers in turn, the last one for ever; in both of the forms that Node asks for. */
function resolver(...answers: LookupAddress[][]): LookupFunction {
  return (_hostname, options, callback) => {
    const answer = (answers.length > 1 ? answers.shift() : answers[0]) as LookupAddress[];
    if (options.all) callback(null, answer);
    else callback(null, answer[0]?.address as string, answer[0]?.family);
  };
}

function post(url: string, limits: Partial<GuardedRequest> = {}): GuardedRequest {
  const defaults = { timeoutMs: 5_000, bodyTimeoutMs: 1_000, maxResponseBytes: 65_536 };
  return { url, method: 'POST', headers: { 'x-a': '1' }, body: 'hällo', ...defaults, ...limits };
}

let receiver: HttpReceiver;

beforeEach(async () => {
  receiver = await httpReceiver();
});

afterEach(() => receiver.close());

describe('guarded fetch', () => {
  test('posts the body and gives status, headers and body', async () => {
    receiver.answer((res) => res.writeHead(201, { 'retry-after': '7' }).end('fine'));
    const response = await createGuardedFetch({ allowPrivateTargets: true })(post(receiver.url));
    expect(response).toMatchObject({ statusCode: 201, truncated: false, headers: { 'retry-after': '7' } });
    expect(response.body.toString()).toBe('fine');
    expect(receiver.received[0]).toMatchObject({ body: 'hällo', headers: { 'x-a': '1', 'content-length': '6' } });
  });

  describe('with private targets forbidden', () => {
    const names = [
      'http://127.0.0.1',
      'http://0x7f.1',
      'http://2130706433',
      'http://[::ffff:7f00:1]',
      'http://localhost',
    ];

    test.each(names)('connects to nothing for %s', async (origin) => {
      const fetch = createGuardedFetch({ allowPrivateTargets: false });
      await expect(fetch(post(`${origin}:${receiver.port}/`))).rejects.toMatchObject({ type: 'TARGET_FORBIDDEN' });
      expect(receiver.connections()).toBe(0);
    });

    // fault 35
    test.each([
      ['a name that is loopback', [[LOOPBACK]]],
      ['mixed records, good one first', [[PUBLIC, LOOPBACK]]],
      ['mixed records, bad one first', [[LOOPBACK, PUBLIC]]],
      ['the metadata address', [[{ address: '169.254.169.254', family: 4 }]]],
      ['an IPv4-mapped address', [[{ address: '::ffff:127.0.0.1', family: 6 }]]],
      ['NAT64', [[{ address: '64:ff9b::7f00:1', family: 6 }]]],
    ])('connects to nothing for %s', async (_, answers) => {
      const fetch = createGuardedFetch({ allowPrivateTargets: false, lookup: resolver(...answers) });
      const url = `http://hook.example.com:${receiver.port}/`;
      await expect(fetch(post(url))).rejects.toMatchObject({ type: 'TARGET_FORBIDDEN' });
      expect(receiver.connections()).toBe(0);
    });

    test('takes nothing over from an earlier answer: a name that changes is looked at each time', async () => {
      let asked = 0;
      const rebinding = resolver([LOOPBACK]);
      const lookup: LookupFunction = (hostname, options, callback) => {
        asked += 1;
        if (asked === 1) callback(Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' }), '', 4);
        else rebinding(hostname, options, callback);
      };
      const fetch = createGuardedFetch({ allowPrivateTargets: false, lookup });
      const request = post(`http://hook.example.com:${receiver.port}/`);
      await expect(fetch(request)).rejects.toMatchObject({ code: 'ENOTFOUND' });
      await expect(fetch(request)).rejects.toMatchObject({ type: 'TARGET_FORBIDDEN' });
      expect(asked).toBe(2);
      expect(receiver.connections()).toBe(0);
    });
  });

  // fault 34
  test('does not follow a redirect', async () => {
    const elsewhere = await httpReceiver();
    receiver.answer((res) => res.writeHead(307, { location: elsewhere.url }).end());
    const response = await createGuardedFetch({ allowPrivateTargets: true })(post(receiver.url));
    expect(response.statusCode).toBe(307);
    expect(elsewhere.connections()).toBe(0);
    await elsewhere.close();
  });

  describe('with a receiver that misbehaves (fault 33)', () => {
    const fetch = createGuardedFetch({ allowPrivateTargets: true });

    test('ends with ETIMEDOUT when it never answers', async () => {
      receiver.answer(() => undefined);
      const started = performance.now();
      await expect(fetch(post(receiver.url, { timeoutMs: 200 }))).rejects.toMatchObject({ code: 'ETIMEDOUT' });
      expect(performance.now() - started).toBeLessThan(2_000);
    });

    test('ends with ETIMEDOUT when its headers drip', async () => {
      const timers: NodeJS.Timeout[] = [];
      receiver.answer((res) => {
        res.socket?.write('HTTP/1.1 200 OK\r\n');
        timers.push(setInterval(() => res.socket?.write('x-drip: 1\r\n'), 20));
      });
      await expect(fetch(post(receiver.url, { timeoutMs: 300 }))).rejects.toMatchObject({ code: 'ETIMEDOUT' });
      for (const timer of timers) clearInterval(timer);
    });

    test('keeps the status when the body drips', async () => {
      const timers: NodeJS.Timeout[] = [];
      receiver.answer((res) => {
        res.writeHead(200);
        timers.push(setInterval(() => res.write('.'), 20));
      });
      const started = performance.now();
      const response = await fetch(post(receiver.url, { bodyTimeoutMs: 200 }));
      for (const timer of timers) clearInterval(timer);
      expect(response).toMatchObject({ statusCode: 200, truncated: true });
      expect(performance.now() - started).toBeLessThan(2_000);
    });

    test('reads no more than the limit of a gigabyte', async () => {
      let sent = 0;
      const chunk = Buffer.alloc(1_048_576);
      receiver.answer((res) => {
        res.writeHead(200);
        const more = (): void => {
          while (!res.destroyed && sent < 1_073_741_824) {
            sent += chunk.length;
            if (!res.write(chunk)) return void res.once('drain', more);
          }
        };
        more();
      });
      const response = await fetch(post(receiver.url, { bodyTimeoutMs: 5_000 }));
      expect(response).toMatchObject({ statusCode: 200, truncated: true });
      expect(response.body.length).toBe(65_536);
      expect(sent).toBeLessThan(64 * 1_048_576);
    });

    test('says so when it hangs up or nobody listens', async () => {
      receiver.answer((res) => void res.socket?.destroy());
      await expect(fetch(post(receiver.url))).rejects.toMatchObject({ code: 'ECONNRESET' });
      const { url } = receiver;
      await receiver.close();
      await expect(fetch(post(url))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    });
  });
});
