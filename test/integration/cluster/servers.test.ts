import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { startNats, startRedis } from '../../../scripts/servers/index.ts';
import { eventually } from '../../helpers/eventually.ts';

const SERVERS = fileURLToPath(new URL('../../../scripts/servers/', import.meta.url));
const ENV = { ...process.env, REDIS_URL: '', NATS_URL: '' };

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Runs a module in a process of its own. */
function runModule(source: string, env: NodeJS.ProcessEnv = ENV) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const line = new Promise<string>((resolve) => child.stdout.once('data', (data: Buffer) => resolve(data.toString())));
  return { child, ended, line };
}

describe('servers for tests', () => {
  const cleanUps: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  });

  test('a URL that the environment names is taken as it is, and never ended', async () => {
    const named = await startNats({ NATS_URL: 'nats://elsewhere:4222' });
    expect([named.url, named.process]).toEqual(['nats://elsewhere:4222', null]);
    await named.stop();
  });

  test('two at once listen on ports of their own and can be killed, started, paused and resumed', async () => {
    const [one, other] = await Promise.all([startRedis(ENV), startRedis(ENV)]);
    cleanUps.push(one.stop, other.stop);
    expect(one.url).not.toBe(other.url);
    const redis = new Redis(one.url, { commandTimeout: 300, maxRetriesPerRequest: 0, retryStrategy: () => 50 });
    redis.on('error', () => undefined);
    cleanUps.push(async () => redis.disconnect());
    expect(await redis.ping()).toBe('PONG');

    one.process?.pause();
    await expect(redis.ping()).rejects.toThrow('timed out');
    one.process?.resume();
    await eventually(() => redis.ping());

    const pid = one.process?.pid as number;
    await one.process?.kill();
    expect(isAlive(pid)).toBe(false);
    await one.process?.start();
    await eventually(() => redis.ping());
    expect(one.process?.pid).not.toBe(pid);
  });

  test('a server ends with the process that started it, killed as it may be, and its data with it', async () => {
    const source = `
      const { startRedis } = await import(${JSON.stringify(pathToFileURL(join(SERVERS, 'index.ts')).href)});
      const server = await startRedis();
      const { Redis } = await import(${JSON.stringify(import.meta.resolve('ioredis'))});
      const redis = new Redis(server.url);
      const [, dir] = await redis.config('GET', 'dir');
      console.log(JSON.stringify({ pid: server.process.pid, dir }));
      setInterval(() => {}, 1000);
    `;
    const { child, ended, line } = runModule(source);
    const { pid, dir } = JSON.parse(await line) as { pid: number; dir: string };
    expect([isAlive(pid), existsSync(dir)]).toEqual([true, true]);
    child.kill('SIGKILL');
    await ended;
    await eventually(() => expect([isAlive(pid), existsSync(dir)]).toEqual([false, false]));
  });

  test('of processes that ask for the same thing at once one fetches it, also after one that was killed meanwhile', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'castellan-cache-'));
    cleanUps.push(() => rm(folder, { recursive: true }));
    const log = join(folder, 'fetched');
    const fetching = (pauseMs: number) => `
      const { cached } = await import(${JSON.stringify(pathToFileURL(join(SERVERS, 'cache.ts')).href)});
      const { appendFile, writeFile } = await import('node:fs/promises');
      const target = await cached('thing', async (folder) => {
        await appendFile(${JSON.stringify(log)}, 'x');
        console.log('fetching');
        await new Promise((resolve) => setTimeout(resolve, ${pauseMs}));
        await writeFile(folder + '/content', 'whole');
      });
      console.log(target);
    `;
    const env = { ...ENV, XDG_CACHE_HOME: folder };
    await writeFile(log, '');
    const killed = runModule(fetching(60_000), env);
    expect(await killed.line).toContain('fetching');
    killed.child.kill('SIGKILL');
    await killed.ended;
    const codes = await Promise.all([1, 2, 3].map(() => runModule(fetching(100), env).ended));
    expect(codes).toEqual([0, 0, 0]);
    expect(await readFile(join(folder, 'castellan', 'thing', 'content'), 'utf8')).toBe('whole');
    expect((await readFile(log, 'utf8')).length).toBe(2);
  });

  test('what cannot be found or fetched says what is missing and how to get it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'castellan-cache-'));
    cleanUps.push(() => rm(folder, { recursive: true }));
    const env = { ...ENV, MONGO_URL: '', XDG_CACHE_HOME: folder, PATH: folder };
    const script = join(SERVERS, '..', 'servers.ts');
    const child = spawn(process.execPath, [script, 'fetch'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.on('data', (data: Buffer) => {
      said += data;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(1);
    for (const name of ['NATS_URL', 'REDIS_URL', 'MONGO_URL', 'nats-server on the PATH', 'python3', 'apt-get']) {
      expect(said).toContain(name);
    }
  });
});
