import { connect } from 'node:net';
import { MongoClient, MongoServerError } from 'mongodb';
import { findMongo, findNats, findRedis } from './programs.ts';
import { type RunningServer, type ServerKind, startServer } from './server-process.ts';

/**
 * Real servers for tests and scripts: the one that the environment names, one of a program on the PATH, or one of a
 * program that is fetched into the cache folder.
 */
export type { RunningServer, ServerProcess } from './server-process.ts';

const PROBE_TIMEOUT_MS = 1_000;
const REPLICA_SET = 'castellan';
/** SecantusDB sorts what it remembers of retryable writes at every write: after 10,000 of them each takes ten times as long. */
const NO_RETRIED_WRITES = '&retryWrites=false';
const ALREADY_INITIALIZED = 23;

/** Resolves when the server's first words match. */
function answers(port: number, say: string, expected: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: PROBE_TIMEOUT_MS });
    const end = (error?: Error) => {
      socket.destroy();
      error ? reject(error) : resolve();
    };
    socket.once('connect', () => void socket.write(say));
    socket.once('data', (data) => end(expected.test(data.toString()) ? undefined : new Error(`it said ${data}`)));
    socket.once('timeout', () => end(new Error('no answer')));
    socket.once('error', end);
  });
}

function named(url: string | undefined): RunningServer | null {
  return url ? { url, process: null, stop: async () => undefined } : null;
}

/** @param env where NATS_URL may name one */
export async function startNats(env: NodeJS.ProcessEnv = process.env): Promise<RunningServer> {
  const given = named(env.NATS_URL);
  return given ?? startOwnNats();
}

/** @param options of the server itself, such as `--user` */
export async function startOwnNats(options: readonly string[] = []): Promise<RunningServer> {
  return startServer({
    name: 'nats',
    program: await findNats(),
    args: (port) => ['--addr', '127.0.0.1', '--port', String(port), ...options],
    url: (port) => `nats://127.0.0.1:${port}`,
    probe: (port) => answers(port, '', /^INFO /),
  });
}

/** @param env where REDIS_URL may name one */
export async function startRedis(env: NodeJS.ProcessEnv = process.env): Promise<RunningServer> {
  const given = named(env.REDIS_URL);
  if (given) return given;
  /* nothing is kept: what a test must survive is that Redis forgets */
  const options = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  return startServer({
    name: 'redis',
    program: await findRedis(),
    args: (port, dataDir) => [...options, '--port', String(port), '--dir', dataDir],
    url: (port) => `redis://127.0.0.1:${port}`,
    probe: (port) => answers(port, 'PING\r\n', /^\+PONG/),
  });
}

/** Makes a fresh `mongod` a replica set of one. @throws until it is the primary */
async function primary(port: number, initiate: boolean): Promise<void> {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: PROBE_TIMEOUT_MS,
  });
  try {
    const admin = client.db('admin');
    const members = [{ _id: 0, host: `127.0.0.1:${port}` }];
    if (initiate) {
      await admin.command({ replSetInitiate: { _id: REPLICA_SET, members } }).catch((error: unknown) => {
        if (!(error instanceof MongoServerError && error.code === ALREADY_INITIALIZED)) throw error;
      });
    }
    const hello = await admin.command({ hello: 1 });
    if (!hello.isWritablePrimary) throw new Error('it is no primary yet');
  } finally {
    await client.close();
  }
}

export interface MongoOptions {
  /**
   * Answered transactions survive a `kill -9`. A mongod sees to that always; SecantusDB keeps a commit in memory unless it
   * is told otherwise, whatever the write concern says, and being told makes it several times slower.
   */
  durable?: boolean;
}

/** @param env where MONGO_URL may name one; it must be a replica set */
export async function startMongo(
  env: NodeJS.ProcessEnv = process.env,
  { durable = false }: MongoOptions = {},
): Promise<RunningServer> {
  const given = named(env.MONGO_URL);
  if (given) return given;
  const { kind, ...program } = await findMongo();
  const real = kind === 'mongod';
  const secantus = ['--host', '127.0.0.1', '--log-level', 'WARNING', ...(durable ? ['--sync-on-commit'] : [])];
  const server: ServerKind = {
    name: 'mongo',
    program,
    args: (port, dataDir) =>
      real
        ? ['--bind_ip', '127.0.0.1', '--port', String(port), '--dbpath', dataDir, '--replSet', REPLICA_SET]
        : [...secantus, '--port', String(port), '--storage-path', dataDir],
    url: (port) => `mongodb://127.0.0.1:${port}/?directConnection=true${real ? '' : NO_RETRIED_WRITES}`,
    probe: (port) => primary(port, real),
  };
  return startServer(server);
}
