import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApi } from '../../helpers/api.ts';
import { startTestCastellan, type TestCastellan } from '../../helpers/castellan.ts';

const INDEX = '<!doctype html><title>Castellan</title><script type="module" src="/assets/app-1a2b.js"></script>';
const SCRIPT = 'console.log("castellan")';
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "font-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
];
const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

let root: string;
let dashboardDir: string;
let castellan: TestCastellan;
const open = (path: string, headers: Record<string, string> = HTML, method = 'GET') =>
  createApi(castellan.url).send(path, { method, headers });

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'castellan-dashboard-'));
  dashboardDir = join(root, 'dist');
  await mkdir(join(dashboardDir, 'assets'), { recursive: true });
  await writeFile(join(dashboardDir, 'index.html'), INDEX);
  await writeFile(join(dashboardDir, 'assets', 'app-1a2b.js'), SCRIPT);
  await writeFile(join(dashboardDir, 'assets', 'app-1a2b.css'), 'body{}');
  await writeFile(join(dashboardDir, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  await writeFile(join(dashboardDir, 'build.log'), 'not for the world');
  await writeFile(join(root, 'secret.txt'), 'SECRET');
  castellan = await startTestCastellan({ dashboardDir });
});
afterAll(async () => {
  await castellan.end();
  await rm(root, { recursive: true, force: true });
});

describe('the built dashboard', () => {
  test.each([
    ['/', 'text/html; charset=utf-8', INDEX],
    ['/index.html', 'text/html; charset=utf-8', INDEX],
    ['/assets/app-1a2b.js', 'text/javascript; charset=utf-8', SCRIPT],
    ['/assets/app-1a2b.css', 'text/css; charset=utf-8', 'body{}'],
    ['/favicon.svg', 'image/svg+xml; charset=utf-8', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
  ])('%s is served to anyone, under a strict policy', async (path, type, text) => {
    const answer = await open(path);
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([200, type, text]);
    expect(String(answer.headers['content-security-policy']).split('; ')).toEqual(POLICY);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.headers['x-frame-options']).toBe('DENY');
    expect(answer.headers['referrer-policy']).toBe('same-origin');
  });

  test.each([
    '/connections',
    '/connections/con_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    '/conversations/con_01ARZ3NDEKTSV4RRFFQ69G5FAV/15550001111@s.whatsapp.net',
    '/conversations/con_01ARZ3NDEKTSV4RRFFQ69G5FAV/1203630%40g.us',
    '/sign-in?next=%2Fcluster',
    '/cluster/',
  ])('a browser that goes to %s gets the page', async (path) => {
    const answer = await open(path);
    expect([answer.status, answer.text]).toEqual([200, INDEX]);
    expect(String(answer.headers['content-security-policy']).split('; ')).toEqual(POLICY);
  });

  test('hashed files are kept for ever, everything else is asked for again', async () => {
    expect((await open('/assets/app-1a2b.js')).headers['cache-control']).toBe('public, max-age=31536000, immutable');
    for (const path of ['/', '/favicon.svg', '/connections']) {
      const { headers } = await open(path);
      expect(headers['cache-control']).toBe('no-cache');
      const again = await open(path, { ...HTML, 'if-none-match': String(headers.etag) });
      expect([again.status, again.text]).toEqual([304, '']);
    }
  });

  test('HEAD answers without a body', async () => {
    const answer = await open('/', HTML, 'HEAD');
    expect([answer.status, answer.text, answer.headers['content-length']]).toEqual([200, '', String(INDEX.length)]);
  });

  test.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/%2e%2e%2fsecret',
    '/assets/%252e%252e/secret.txt',
    '/assets/..\\..\\secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '//etc/passwd',
    '/assets/app-1a2b.js%00.html',
    '/assets//app-1a2b.js',
    '/./assets/app-1a2b.js',
    '/../../../../../../etc/passwd',
    '/assets/',
    '/assets',
    '/build.log',
    '/package.json',
    '/index.php',
    '/castellan.db',
  ])('%s leads nowhere', async (path) => {
    for (const headers of [HTML, {}]) {
      const answer = await open(path, headers);
      expect(answer.text).not.toMatch(/SECRET|root:|not for the world|console\.log/);
      expect(answer.status === 404 || answer.text === INDEX).toBe(true);
    }
  });

  test.each([
    '/v1/wa/nothing',
    '/v1',
    '/v1/wa',
    '/dashboard/nothing',
    '/docs/nothing',
    '/health/nothing',
    '/assets/gone.js',
  ])('%s is 404 in a browser, too', async (path) => {
    const answer = await open(path);
    expect([answer.status, answer.body.error.type]).toEqual([404, 'NOT_FOUND']);
  });

  test('a client that is no browser gets a 404 for a path that is not there', async () => {
    for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json' }]) {
      const answer = await open('/connections', headers as Record<string, string>);
      expect([answer.status, answer.body.error.type]).toEqual([404, 'NOT_FOUND']);
    }
    expect((await open('/', HTML, 'POST')).status).toBe(404);
  });

  test('what a browser opens of the API keeps its own policy', async () => {
    for (const path of ['/v1/wa/connection/list', '/openapi.json', '/health/live', '/dashboard/session']) {
      const { headers } = await open(path);
      expect(headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(headers['content-type']).toBe('application/json; charset=utf-8');
    }
  });

  test('/docs and its files are under the policy of the dashboard', async () => {
    for (const path of ['/docs', '/docs/page.js', '/docs/page.css']) {
      const { status, headers } = await open(path);
      expect([status, String(headers['content-security-policy']).split('; ')]).toEqual([200, POLICY]);
    }
  });

  test('a new build is served without a restart', async () => {
    await writeFile(join(dashboardDir, 'index.html'), `${INDEX}<p>new</p>`);
    await utimes(join(dashboardDir, 'index.html'), new Date(), new Date(Date.now() + 5_000));
    await writeFile(join(dashboardDir, 'assets', 'app-3c4d.js'), 'new');
    expect((await open('/')).text).toBe(`${INDEX}<p>new</p>`);
    expect((await open('/assets/app-3c4d.js')).text).toBe('new');
    await writeFile(join(dashboardDir, 'index.html'), INDEX);
    expect((await open('/connections')).text).toBe(INDEX);
  });
});

test('without a build it says in one line how to make one, and serves it once it is there', async () => {
  const empty = join(root, 'not-yet');
  const other = await startTestCastellan({ dashboardDir: empty });
  const api = createApi(other.url);
  const before = await api.send('/', { headers: HTML });
  expect([before.status, before.headers['content-type']]).toEqual([404, 'text/plain; charset=utf-8']);
  expect(before.text).toContain('npm run build');
  expect(before.text.trim().split('\n')).toHaveLength(1);
  await mkdir(empty);
  await writeFile(join(empty, 'index.html'), INDEX);
  expect((await api.send('/', { headers: HTML })).text).toBe(INDEX);
  await other.end();
});
