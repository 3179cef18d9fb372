import { request } from 'node:http';
import { ALL_ACTIONS } from '../../../lib/contracts/index.ts';
import { routesOf } from '../../../lib/contracts/route.ts';
import { BOOTSTRAP_ADMIN } from '../../../lib/http/authenticator.ts';
import { createApi } from '../../helpers/api.ts';
import { startTestCastellan, type TestCastellan } from '../../helpers/castellan.ts';
import { pathOf, sampleBody } from '../../helpers/contract-samples.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type SignedIn, signIn } from '../../helpers/signed-in.ts';

let castellan: TestCastellan;
let user: Awaited<ReturnType<TestCastellan['newUser']>>;
let admin: SignedIn;
let signedIn: SignedIn;

beforeAll(async () => {
  castellan = await startTestCastellan({ rateLimitPerSecond: 0 });
  user = await castellan.newUser('person');
  signedIn = await signIn(castellan.url, user.key);
  admin = await signIn(castellan.url, castellan.adminKey);
});
afterAll(() => castellan.end());

const SIGN_IN = '/dashboard/sign-in';
const SIGN_OUT = '/dashboard/sign-out';
const SESSION = '/dashboard/session';
const errorOf = ({ status, body }: { status: number; body: { error?: { type?: string } } }) => [
  status,
  body.error?.type,
];
const anyone = () => createApi(castellan.url);

describe('signing in', () => {
  test('exchanges a key for a cookie that no script can read and no other site can send', async () => {
    const { answer } = signedIn;
    expect(answer.body).toEqual({ userId: user.userId, role: 'user' });
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(/^castellan_session=[A-Za-z0-9_-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/),
    ]);
    expect(answer.text).not.toContain(signedIn.cookie.split('=')[1]);
  });

  test('behind https the cookie is Secure', async () => {
    const headers = { 'x-forwarded-proto': 'https' };
    const answer = await anyone().post(SIGN_IN, { key: user.key }, headers);
    expect(String(answer.headers['set-cookie'])).toMatch(/; Secure$/);
  });

  test('the bootstrap admin signs in too', async () => {
    expect(admin.answer.body).toEqual({ userId: BOOTSTRAP_ADMIN.userId, role: 'admin' });
    expect((await admin.page.get('/v1/wa/user/list')).status).toBe(200);
  });

  test.each([
    ['a wrong key', { key: 'cst_wrong' }, 401, 'UNAUTHORIZED'],
    ['a key with control characters', { key: 'a\nb' }, 401, 'UNAUTHORIZED'],
    ['no key', {}, 400, 'VALIDATION_ERROR'],
    ['an empty key', { key: '' }, 400, 'VALIDATION_ERROR'],
    ['a key that is no string', { key: { $ne: null } }, 400, 'VALIDATION_ERROR'],
    ['a key that is too long', { key: 'k'.repeat(300) }, 400, 'VALIDATION_ERROR'],
    ['an unknown field', { key: 'cst_wrong', remember: true }, 400, 'VALIDATION_ERROR'],
  ])('%s gets no cookie', async (_, body, status, type) => {
    const answer = await anyone().post(SIGN_IN, body);
    expect([...errorOf(answer), answer.headers['set-cookie']]).toEqual([status, type, undefined]);
  });

  test('another page cannot sign a browser in', async () => {
    const tellTales: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of tellTales) {
      const answer = await anyone().post(SIGN_IN, { key: user.key }, headers);
      expect([...errorOf(answer), answer.headers['set-cookie']]).toEqual([403, 'FORBIDDEN', undefined]);
    }
    const form = { method: 'POST', headers: { 'content-type': 'text/plain' }, raw: `{"key":"${user.key}"}` };
    expect(errorOf(await anyone().send(SIGN_IN, form))).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });

  test('anew ends the session that the browser had', async () => {
    const before = await signIn(castellan.url, user.key);
    const again = await before.page.post(SIGN_IN, { key: user.key });
    expect(again.status).toBe(200);
    expect(errorOf(await before.page.get(SESSION))).toEqual([401, 'UNAUTHORIZED']);
  });

  test('neither token nor key is in the store', async () => {
    const rows = await castellan.runtime.store.collection('dashboardSessions').find({});
    expect(rows.length).toBeGreaterThan(1);
    const stored = JSON.stringify(rows);
    for (const secret of [signedIn.cookie.split('=')[1] as string, user.key, castellan.adminKey]) {
      expect(stored).not.toContain(secret);
    }
  });
});

describe('the cookie in the place of a key', () => {
  test('says who is signed in', async () => {
    expect((await signedIn.page.get(SESSION)).body).toEqual({ userId: user.userId, role: 'user' });
    expect((await user.api.get(SESSION)).body).toEqual({ userId: user.userId, role: 'user' });
    expect(errorOf(await anyone().get(SESSION))).toEqual([401, 'UNAUTHORIZED']);
  });

  test('reads and changes what the key may, and no more', async () => {
    const { body, status } = await signedIn.page.post('/v1/wa/connection/create', { autoStart: false });
    expect([status, body.userId]).toEqual([201, user.userId]);
    expect((await signedIn.page.get('/v1/wa/connection/list')).body.items).toEqual([body]);
    expect(errorOf(await signedIn.page.get('/v1/wa/user/list'))).toEqual([403, 'FORBIDDEN']);
    const removed = await signedIn.page.send(`/v1/wa/connection/${body.connectionId}`, { method: 'DELETE' });
    expect(removed.status).toBe(200);
  });

  test('follows the event stream', async () => {
    const stream = await new Promise<{ status: number | undefined; type: string | undefined }>((resolve, reject) => {
      const headers = { cookie: signedIn.cookie };
      const req = request(`${castellan.url}/v1/wa/event/stream`, { headers }, (res) => {
        resolve({ status: res.statusCode, type: res.headers['content-type'] });
        req.destroy();
      });
      req.on('error', reject).end();
    });
    expect(stream).toEqual({ status: 200, type: 'text/event-stream; charset=utf-8' });
  });

  test('is found among others, and a key counts alone', async () => {
    const beside = { cookie: `theme=dark; ${signedIn.cookie}; a=b` };
    expect((await anyone().send(SESSION, { headers: beside })).status).toBe(200);
    const wrongKey = { ...beside, 'x-api-key': 'cst_wrong' };
    expect(errorOf(await anyone().send(SESSION, { headers: wrongKey }))).toEqual([401, 'UNAUTHORIZED']);
    const otherKey = { ...beside, 'x-api-key': castellan.adminKey };
    expect((await anyone().send(SESSION, { headers: otherKey })).body.role).toBe('admin');
  });

  test.each([
    ['an empty one', 'castellan_session='],
    ['an invented one', `castellan_session=${'A'.repeat(43)}`],
    ['one of another form', "castellan_session=' OR 1=1 --"],
    ['one without a value', 'castellan_session'],
    ['one under another name', `Castellan_Session=${'A'.repeat(43)}`],
    ['a lot of nothing', ';'.repeat(8_000)],
  ])('%s opens nothing', async (_, cookie) => {
    expect(errorOf(await anyone().send(SESSION, { headers: { cookie } }))).toEqual([401, 'UNAUTHORIZED']);
  });
});

describe('requests that other pages make with the cookie', () => {
  const CREATE = '/v1/wa/connection/create';
  const own = () => castellan.url;
  const hostOfOwn = () => new URL(castellan.url).host;

  test.each([
    ['another host', () => ({ origin: 'https://evil.example' })],
    ['another port of this host', () => ({ origin: 'http://127.0.0.1:1' })],
    ['a host that begins like ours', () => ({ origin: `${own()}.evil.example` })],
    ['a user name that looks like ours', () => ({ origin: `http://${hostOfOwn()}@evil.example` })],
    ['no origin to speak of', () => ({ origin: 'null' })],
    ['another scheme', () => ({ origin: `ftp://${hostOfOwn()}` })],
    ['the clear, where ours is https', () => ({ origin: own(), 'x-forwarded-proto': 'https' })],
    ['a frame of another site', () => ({ 'sec-fetch-site': 'cross-site' })],
    ['another origin of this site', () => ({ 'sec-fetch-site': 'same-site' })],
    ['ours, says one header, and another the other', () => ({ origin: own(), 'sec-fetch-site': 'cross-site' })],
    [
      'elsewhere, says one header, and another the other',
      () => ({ origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }),
    ],
    ['nobody knows where', () => ({})],
  ])('from %s change nothing', async (_, headers) => {
    const before = await castellan.runtime.store.collection('connections').count({});
    const sent = headers() as Record<string, string>;
    const answer = await signedIn.bare.post(CREATE, { autoStart: false }, sent);
    expect(errorOf(answer)).toEqual([403, 'FORBIDDEN']);
    expect(await castellan.runtime.store.collection('connections').count({})).toBe(before);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  test.each([
    ['the same origin', () => ({ origin: own() })],
    ['the same origin behind https', () => ({ origin: `https://${hostOfOwn()}`, 'x-forwarded-proto': 'https' })],
    ['Sec-Fetch-Site alone', () => ({ 'sec-fetch-site': 'same-origin' })],
  ])('%s may', async (_, headers) => {
    const answer = await signedIn.bare.post(CREATE, { autoStart: false }, headers() as Record<string, string>);
    expect(answer.status).toBe(201);
  });

  test('a key needs no origin: no browser sends it by itself', async () => {
    const headers = { cookie: signedIn.cookie, origin: 'https://evil.example' };
    expect((await user.api.post(CREATE, { autoStart: false }, headers)).status).toBe(201);
  });

  const changing = routesOf(ALL_ACTIONS).filter(
    ({ method, contract }) => method !== 'GET' && contract.auth !== 'public',
  );
  /** ids of nobody: what is let in meets a 404 */
  const nobody = (prefix: string) => `${prefix}_01ARZ3NDEKTSV4RRFFQ69G5FAV`;
  const ids = {
    userId: nobody('usr'),
    connectionId: nobody('con'),
    messageId: nobody('msg'),
    jobId: nobody('job'),
    webhookId: nobody('whk'),
    deliveryId: nobody('dlv'),
    keyId: nobody('key'),
    nodeId: 'nobody',
  };

  test.each(changing.map((route) => [`${route.method} ${route.path}`, route] as const))(
    '%s is 403',
    async (_, route) => {
      const given = Object.fromEntries(Object.entries(ids).filter(([name]) => route.bodyParams.includes(name)));
      const json = route.bodyParams.length > 0 ? sampleBody(route, given) : undefined;
      const headers = { origin: 'https://evil.example' };
      const answer = await admin.bare.send(pathOf(route, ids), {
        method: route.method,
        headers,
        ...(json && { json }),
      });
      expect(errorOf(answer)).toEqual([403, 'FORBIDDEN']);
    },
  );
});

describe('the end of a session', () => {
  test('signing out ends it at once and takes the cookie away', async () => {
    const { page, bare } = await signIn(castellan.url, user.key);
    expect(errorOf(await bare.post(SIGN_OUT, {}))).toEqual([403, 'FORBIDDEN']);
    expect(errorOf(await bare.post(SIGN_OUT, {}, { origin: 'https://evil.example' }))).toEqual([403, 'FORBIDDEN']);
    expect((await page.get(SESSION)).status).toBe(200);
    const answer = await page.post(SIGN_OUT, {});
    expect([answer.status, answer.body]).toEqual([200, { signedOut: true }]);
    expect(answer.headers['set-cookie']).toEqual(['castellan_session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0']);
    expect(errorOf(await page.get(SESSION))).toEqual([401, 'UNAUTHORIZED']);
    expect((await signedIn.page.get(SESSION)).status).toBe(200);
  });

  test('signing out without a session is no error', async () => {
    expect((await anyone().post(SIGN_OUT, {})).body).toEqual({ signedOut: false });
  });

  test('a revoked key kills the session and its open stream within 5 s', async () => {
    const leaver = await castellan.newUser('leaver');
    const { page, cookie } = await signIn(castellan.url, leaver.key);
    expect((await page.get('/v1/wa/connection/list')).status).toBe(200);
    let streamEnded = false;
    const req = request(`${castellan.url}/v1/wa/event/stream`, { headers: { cookie } }, (res) => {
      res.resume().once('close', () => {
        streamEnded = true;
      });
    });
    const streaming = new Promise((resolve) => req.once('response', resolve));
    req.on('error', () => undefined).end();
    await streaming;
    await castellan.admin.delete(`/v1/wa/user/${leaver.userId}/key/${leaver.keyId}`);
    await eventually(
      async () => {
        expect(errorOf(await page.get('/v1/wa/connection/list'))).toEqual([401, 'UNAUTHORIZED']);
        expect(streamEnded).toBe(true);
      },
      { timeoutMs: 5_000 },
    );
    expect(errorOf(await page.get(SESSION))).toEqual([401, 'UNAUTHORIZED']);
  });

  test("a deleted user's session is dead within 5 s", async () => {
    const gone = await castellan.newUser('gone');
    const { page } = await signIn(castellan.url, gone.key);
    await castellan.admin.delete(`/v1/wa/user/${gone.userId}`);
    await eventually(async () => expect((await page.get(SESSION)).status).toBe(401), { timeoutMs: 5_000 });
  });

  test('it is over after 12 hours, however busy it was', async () => {
    const { page } = await signIn(castellan.url, user.key);
    const rows = castellan.runtime.store.collection('dashboardSessions');
    const [row] = await rows.find({}, { sort: [['createdAt', -1]], limit: 1 });
    const { createdAt, expiresAt } = row as unknown as { createdAt: number; expiresAt: number };
    expect(expiresAt - createdAt).toBe(12 * 3_600_000);
    await rows.updateMany({ createdAt }, { $set: { expiresAt: Date.now() - 1 } });
    await eventually(async () => expect((await page.get(SESSION)).status).toBe(401), { timeoutMs: 5_000 });
  });
});

test('a session outlives a restart, but not another admin key', async () => {
  const dataDir = castellan.runtime.config.dataDir;
  const first = await startTestCastellan({ dataDir: `${dataDir}/second`, adminApiKey: 'the-first-admin-key' });
  const { cookie } = await signIn(first.url, 'the-first-admin-key');
  await first.stop();
  const second = await startTestCastellan({ dataDir: `${dataDir}/second`, adminApiKey: 'the-first-admin-key' });
  const again = await createApi(second.url).send(SESSION, { headers: { cookie } });
  await second.stop();
  const third = await startTestCastellan({ dataDir: `${dataDir}/second`, adminApiKey: 'another-admin-key' });
  const refused = await createApi(third.url).send(SESSION, { headers: { cookie } });
  await third.end();
  expect([again.status, refused.status]).toEqual([200, 401]);
});
