import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApi } from '../../helpers/api.ts';
import { eventually } from '../../helpers/eventually.ts';

let dataDir: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'castellan-server-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(dataDir, { recursive: true, force: true });
});

interface Run {
  out(): string;
  err(): string;
  exit: Promise<number | null>;
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): void;
  url(): Promise<string>;
}

function run(env: Record<string, string> = {}, node = process.execPath): Run {
  const settings = {
    PATH: process.env.PATH ?? '',
    DATA_DIR: dataDir,
    PORT: '0',
    WA_WEBSOCKET_URL: 'ws://127.0.0.1:9/',
  };
  const child = spawn(node, ['server.mjs'], { env: { ...settings, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  async function url(): Promise<string> {
    return eventually(() => {
      const found = /listens on (\S+)/.exec(out)?.[1];
      if (!found) throw new Error(`not up: ${out}${err}`);
      return found;
    });
  }
  return { out: () => out, err: () => err, exit, signal: (name) => void child.kill(name), url };
}

test('shows the admin key at the first start only, and takes it at the next', async () => {
  const first = run();
  const url = await first.url();
  const key = await eventually(() => {
    const found = /Admin API key.*: (cst_\S+)/.exec(first.out())?.[1];
    if (!found) throw new Error('no key');
    return found;
  });
  const made = await createApi(url, key).post('/v1/wa/user/create', { username: 'kept', email: 'k@example.org' });
  first.signal('SIGTERM');
  expect(await first.exit).toBe(0);
  const second = run();
  const api = createApi(await second.url(), key);
  expect((await api.get(`/v1/wa/user/${made.body.userId}`)).body).toEqual(made.body);
  expect(second.out()).not.toContain('cst_');
  second.signal('SIGINT');
  expect(await second.exit).toBe(0);
  expect(second.err()).toBe('');
});

test('after kill -9 it starts again over the same directory, with what was answered', async () => {
  const first = run({ ADMIN_API_KEY: 'a-key-of-sixteen-and-more' });
  const body = { username: 'durable', email: 'd@example.org' };
  const api = createApi(await first.url(), 'a-key-of-sixteen-and-more');
  const made = await api.post('/v1/wa/user/create', body, { 'idempotency-key': 'once' });
  first.signal('SIGKILL');
  await first.exit;
  const second = run({ ADMIN_API_KEY: 'a-key-of-sixteen-and-more' });
  const again = createApi(await second.url(), 'a-key-of-sixteen-and-more');
  const repeat = await again.post('/v1/wa/user/create', body, { 'idempotency-key': 'once' });
  expect([repeat.status, repeat.text]).toEqual([201, made.text]);
});

test.each([
  ['PORT', { PORT: 'http' }],
  ['ENCRYPTION_KEY', { ENCRYPTION_KEY: 'short' }],
  ['SERVICES', { SERVICES: 'gateway,frontdoor' }],
  ['WA_ROOT_PUBLIC_KEY', { WA_ROOT_PUBLIC_KEY: 'zz' }],
  ['RATE_LIMIT_PER_SECOND', { RATE_LIMIT_PER_SECOND: '-1' }],
  ['DATA_DIR', { DATA_DIR: '/dev/null/here' }],
])('a wrong %s is one clear line and exit code 1', async (name, env) => {
  const failed = run(env);
  expect(await failed.exit).toBe(1);
  expect(failed.err().trim().split('\n')).toHaveLength(1);
  expect(failed.err()).toContain(name);
});

test('a port that is taken is one clear line and exit code 1', async () => {
  const first = run();
  const { port } = new URL(await first.url());
  const second = run({ PORT: port, DATA_DIR: join(dataDir, 'second') });
  expect(await second.exit).toBe(1);
  expect(second.err().trim()).toMatch(/^Configuration: PORT must be free: .* is taken\.$/);
});

/** The machine's own Node, where it is an old one; the tests run on the one that npm ci brought. */
function oldNode(): string | null {
  const candidates = (process.env.PATH ?? '').split(':').map((folder) => join(folder, 'node'));
  const found = candidates.filter(existsSync).find((path) => {
    const version = execFileSync(path, ['--version'], { encoding: 'utf8' });
    return Number(/^v(\d+)/.exec(version)?.[1]) < 24;
  });
  return found ?? null;
}

const old = oldNode();
(old ? test : test.skip)('an old Node says so in one line and exits with 1', async () => {
  const failed = run({}, old as string);
  expect(await failed.exit).toBe(1);
  expect(failed.err().trim()).toMatch(/^Castellan needs Node 24 or newer, this is \d+\.\d+\.\d+: .*npm start/);
  expect(failed.err().trim().split('\n')).toHaveLength(1);
});
