import { createConnection } from 'node:net';
import { createApi } from '../../helpers/api.ts';
import { startTestCastellan, type TestCastellan } from '../../helpers/castellan.ts';

let castellan: TestCastellan;
let user: Awaited<ReturnType<TestCastellan['newUser']>>;
let connectionId: string;

beforeAll(async () => {
  castellan = await startTestCastellan();
  user = await castellan.newUser('sender');
  connectionId = (await user.api.post('/v1/wa/connection/create', { autoStart: false })).body.connectionId;
});
/* whatever came in: the server lives and nothing was stored */
afterEach(async () => {
  expect((await castellan.admin.get('/health/live')).status).toBe(200);
  expect((await user.api.get('/v1/wa/connection/list')).body.items).toHaveLength(1);
  expect(await castellan.runtime.store.collection('messages').count({})).toBe(0);
});
afterAll(() => castellan.end());

const json = { 'content-type': 'application/json' };
const CREATE = '/v1/wa/connection/create';

function expectError(answer: { status: number; body: unknown }, status: number, type: string): void {
  const { error } = answer.body as { error: Record<string, unknown> };
  expect([answer.status, error.type]).toEqual([status, type]);
  expect(Object.keys(error).sort()).toEqual(expect.arrayContaining(['message', 'requestId', 'type']));
  expect(JSON.stringify(error)).not.toMatch(/\.ts\b|node_modules|at \w+ \(/);
}

describe('bodies', () => {
  test('10 MB is 413, announced or not (fault 38)', async () => {
    const raw = Buffer.alloc(10 * 1_048_576, 'x');
    expectError(await user.api.send(CREATE, { method: 'POST', headers: json, raw }), 413, 'PAYLOAD_TOO_LARGE');
    const chunked = { ...json, 'transfer-encoding': 'chunked', 'content-length': [] as string[] };
    expectError(await user.api.send(CREATE, { method: 'POST', headers: chunked, raw }), 413, 'PAYLOAD_TOO_LARGE');
  });

  test.each([
    ['objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['arrays', `{"metadata":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
    ['arrays without an end', '['.repeat(900_000)],
  ])('10,000 nested %s are 400 (fault 38)', async (_, raw) => {
    expectError(await user.api.send(CREATE, { method: 'POST', headers: json, raw }), 400, 'BAD_REQUEST');
  });

  test.each([
    ['cut off', '{"name": "x"', 'MALFORMED_JSON'],
    ['not JSON', 'name=x', 'MALFORMED_JSON'],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 'MALFORMED_JSON'],
    ['an array', '[]', 'BAD_REQUEST'],
    ['null', 'null', 'BAD_REQUEST'],
    ['a string', '"name"', 'BAD_REQUEST'],
  ])('one that is %s is 400', async (_, raw, type) => {
    expectError(await user.api.send(CREATE, { method: 'POST', headers: json, raw }), 400, type);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
  ])('one of type %s is 415', async (type) => {
    const request = { method: 'POST', headers: { 'content-type': type }, raw: '{}' };
    expectError(await user.api.send(CREATE, request), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  test('a compressed one is 415', async () => {
    const headers = { ...json, 'content-encoding': 'gzip' };
    expectError(await user.api.send(CREATE, { method: 'POST', headers, raw: '{}' }), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  test.each([
    ['__proto__', '{"__proto__": {"role": "admin"}}'],
    ['constructor', '{"constructor": {"prototype": {"x": 1}}}'],
    ['__proto__ within', '{"metadata": {"a": [{"__proto__": {}}]}}'],
    ['__proto__ behind escapes', '{"\\u005f_proto__": 1}'],
  ])('one with %s is 400 (fault 40)', async (_, raw) => {
    expectError(await user.api.send(CREATE, { method: 'POST', headers: json, raw }), 400, 'BAD_REQUEST');
    expect(({} as Record<string, unknown>).role).toBeUndefined();
  });

  test.each([
    ['an operator for a recipient', { to: { $ne: 1 } }],
    ['an operator for a connection', { connectionId: { $gt: '' } }],
    ['$where', { $where: 'sleep(1000)' }],
    ['$where within', { content: { type: 'text', text: 'x', $where: '1' } }],
    ['a number for a text', { content: 5 }],
    ['an array for a text', { content: ['x'] }],
  ])('%s is 400 (fault 39)', async (_, fields) => {
    const body = { connectionId, content: 'hello', to: '15550001111', ...fields };
    const answer = await user.api.post('/v1/wa/message/send', body);
    expectError(answer, 400, 'VALIDATION_ERROR');
  });

  test.each([
    '/etc/passwd',
    'file:///etc/passwd',
    'http://169.254.169.254/',
    `data:image/png;base64,${'A'.repeat(10_000)}`,
  ])('media by the url %.40s is 400 and stores nothing (fault 37)', async (url) => {
    const body = { connectionId, to: '15550001111', content: { type: 'image', url } };
    expectError(await user.api.post('/v1/wa/message/send', body), 400, 'UNSUPPORTED_CONTENT');
    expect((await user.api.get('/v1/wa/message/list')).body.items).toEqual([]);
  });

  test('a wait beyond every timer is 400', async () => {
    for (const timeoutMs of [1e308, 2 ** 31, -1, 0.5]) {
      const body = { connectionId, content: 'hello', to: '15550001111', wait: 'sent', timeoutMs };
      expectError(await user.api.post('/v1/wa/message/send', body), 400, 'VALIDATION_ERROR');
    }
  });

  test('a field of the path or of a list is unknown in a body', async () => {
    const answer = await castellan.admin.patch(`/v1/wa/user/${user.userId}`, { userId: 'other', username: 'x' });
    expectError(answer, 400, 'VALIDATION_ERROR');
    expectError(await user.api.post(`/v1/wa/connection/${connectionId}/stop`, { now: true }), 400, 'VALIDATION_ERROR');
  });

  test('a refusal names the field and never its value', async () => {
    const answer = await user.api.post(CREATE, { name: 'secret\u0000value' });
    expectError(answer, 400, 'VALIDATION_ERROR');
    expect(answer.body.error.details).toEqual({ problems: [{ field: 'name', rule: 'stringPattern' }] });
    expect(answer.text).not.toContain('secret');
  });

  test.each(['', 'a@b@c', '1@s.whatsapp.net\r\nX: y', 'status@broadcast', '1@call'])(
    'the recipient %j is 400 (fault 41)',
    async (to) => {
      const answer = await user.api.post('/v1/wa/message/send', { connectionId, content: 'hello', to });
      expectError(answer, 400, 'INVALID_RECIPIENT');
    },
  );
});

describe('queries', () => {
  test.each([
    ['a nested name', '?query[a][$gt]='],
    ['an operator', '?userId[$ne]=x'],
    ['an unknown name', '?sort=name'],
    ['a name twice', '?status=open&status=stopped'],
    ['a prototype', '?__proto__=x'],
    ['a number with more behind it', '?limit=5x'],
    ['an empty number', '?limit='],
    ['too large a number', '?limit=1000'],
    ['an exponent', '?limit=1e2'],
    ['an unknown status', '?status=dancing'],
  ])('%s is 400 (fault 39)', async (_, query) => {
    expectError(await user.api.get(`/v1/wa/connection/list${query}`), 400, 'VALIDATION_ERROR');
  });

  test.each([
    ['a broken escape', '/v1/wa/connection/list?status=%zz'],
    ['a cursor of nobody', '/v1/wa/connection/list?after=bm9wZQ'],
    ['a broken escape in the path', '/v1/wa/connection/%zz'],
  ])('%s is 400', async (_, path) => {
    expectError(await user.api.get(path), 400, 'BAD_REQUEST');
  });

  test('a pattern that makes others think for long is answered at once (fault 44)', async () => {
    const startedAt = performance.now();
    const chatId = encodeURIComponent(`${'a'.repeat(900)}!`);
    const answer = await user.api.get(`/v1/wa/message/list?chatId=${chatId}`);
    expect([200, 400]).toContain(answer.status);
    const email = `${'a'.repeat(120)}@${'a.'.repeat(60)}`;
    await castellan.admin.post('/v1/wa/user/create', { username: `${'a '.repeat(30)}!`, email });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

describe('routes', () => {
  test.each([
    '/~node/services',
    '/v1/wa/~node/services',
    '/api/users.authenticate',
    '/v1/wa/users/authenticate',
    '/session-node/wake',
    '/v1/wa/gateway/addRoute',
    '/V1/WA/connection/list',
    '/v1/wa/connection/list/more',
    '/v1/wa/%2e%2e/admin.key',
    '/../admin.key',
  ])('%s is not there (fault 43)', async (path) => {
    expectError(await castellan.admin.get(path), 404, 'NOT_FOUND');
  });

  test.each([
    ['PUT', '/v1/wa/connection/list', 'GET'],
    ['DELETE', '/health/live', 'GET'],
    ['GET', '/v1/wa/connection/x/stop', 'POST'],
    ['OPTIONS', '/v1/wa/connection/list', 'GET'],
    ['TRACE', '/health/live', 'GET'],
  ])('%s %s is 405', async (method, path, allowed) => {
    const answer = await castellan.admin.send(path, { method });
    expectError(answer, 405, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.allow).toContain(allowed);
  });

  test.each([
    ['GET', '/v1/wa/connection/nope'],
    ['GET', '/v1/wa/message/msg_'],
    ['POST', '/v1/wa/job/con_01M87J505NWXFA90W1TEKSC0ZG/cancel'],
    ['DELETE', `/v1/wa/webhook/${'x'.repeat(500)}`],
  ])('%s %s is 404: nothing can have that id', async (method, path) => {
    expectError(await castellan.admin.send(path, { method }), 404, 'NOT_FOUND');
  });

  test('a preflight does not reach an action', async () => {
    const headers = { 'access-control-request-method': 'POST', origin: 'http://evil.example' };
    const answer = await user.api.send(CREATE, { method: 'OPTIONS', headers });
    expect(answer.status).toBe(405);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('headers', () => {
  test('a request id comes back when it is harmless, and another otherwise', async () => {
    const ask = (id: string) => user.api.send('/v1/wa/nothing', { headers: { 'x-request-id': id } });
    const kept = await ask('trace-1.2:3');
    expect([kept.headers['x-request-id'], kept.body.error.requestId]).toEqual(['trace-1.2:3', 'trace-1.2:3']);
    const made = await ask('<script>');
    expect(made.body.error.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.headers['x-request-id']).toBe(made.body.error.requestId);
  });

  test('answers cannot be framed, sniffed or kept', async () => {
    const { headers } = await user.api.get('/v1/wa/connection/list');
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
    expect(headers['x-powered-by']).toBeUndefined();
  });

  test.each([
    ['no HTTP at all', '\u0016\u0003\u0001\r\n\r\n'],
    ['a header without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`],
    ['two lengths', 'POST /v1/wa/user/create HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}'],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('%s is refused with 4xx and the socket closed', async (_, bytes) => {
    const { hostname, port } = new URL(castellan.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = createConnection({ host: hostname, port: Number(port) }, () => socket.write(bytes));
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
  });
});

test('a client that goes away in the middle of its body leaves nothing behind', async () => {
  const { hostname, port } = new URL(castellan.url);
  await new Promise<void>((resolve) => {
    const socket = createConnection({ host: hostname, port: Number(port) }, () => {
      const head = `POST ${CREATE} HTTP/1.1\r\nHost: x\r\nX-Api-Key: ${user.key}\r\nContent-Type: application/json\r\n`;
      socket.write(`${head}Content-Length: 100\r\n\r\n{"name":`, () => socket.destroy());
    });
    socket.on('close', () => resolve());
  });
  expect((await createApi(castellan.url).get('/health/live')).status).toBe(200);
});
