import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Program } from './programs.ts';
import { watchOver } from './watcher.ts';

/** A server of our own, for tests and fault runs: it can be killed, paused and started again. */
export interface ServerProcess {
  readonly pid: number;
  readonly running: boolean;
  /** the end of what it printed */
  output(): string;
  /** Sends the signal; resolves when it is gone. The data stay. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** SIGKILL; resolves when it is gone. The data stay. */
  kill(): Promise<void>;
  /** The same data and port again, after `kill`; resolves when it answers. */
  start(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. */
  pause(): void;
  /** SIGCONT */
  resume(): void;
}

/** A server that can be reached. */
export interface RunningServer {
  readonly url: string;
  /** null = somebody else's, named by a URL: it cannot be killed */
  readonly process: ServerProcess | null;
  /** Ends it and removes its data; harmless for somebody else's and when called twice. */
  stop(): Promise<void>;
}

export interface ServerKind {
  name: string;
  program: Program;
  /** what comes after the program's own arguments */
  args(port: number, dataDir: string): readonly string[];
  url(port: number): string;
  /** Resolves when it serves; is asked again until then. @throws while it does not */
  probe(port: number): Promise<void>;
}

const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 25;
const PORT_ATTEMPTS = 3;
const KEPT_OUTPUT_CHARACTERS = 64 * 1024;

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

interface Run {
  child: ChildProcess;
  /** null when the program could not be started at all */
  watcher: { callOff(): void } | null;
  running: boolean;
  ended: Promise<void>;
}

function launch({ program, args }: ServerKind, port: number, dataDir: string, keep: (chunk: string) => void): Run {
  const child = spawn(program.command, [...program.args, ...args(port, dataDir)], {
    cwd: dataDir,
    env: { ...process.env, ...program.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      keep(String(error));
      resolve();
    });
    child.once('close', () => resolve());
  });
  const watcher = child.pid === undefined ? null : watchOver({ pid: child.pid, folder: dataDir });
  const run: Run = { child, watcher, running: true, ended };
  void ended.then(() => {
    run.running = false;
  });
  return run;
}

async function untilReady(kind: ServerKind, port: number, run: Run, output: () => string): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  let last: unknown;
  while (run.running && performance.now() < deadline) {
    try {
      await kind.probe(port);
      return;
    } catch (error) {
      last = error;
      await delay(POLL_MS);
    }
  }
  throw new Error(`${kind.name} (${kind.program.origin}) did not start: ${last}\n${output()}`);
}

/** Starts it on a free port of the loopback address, its data in a temporary folder. @throws with what it printed */
export async function startServer(kind: ServerKind): Promise<RunningServer> {
  const dataDir = await mkdtemp(join(tmpdir(), `castellan-${kind.name}-`));
  let printed = '';
  let port = 0;
  let run: Run;
  const output = () => printed;

  async function start(): Promise<void> {
    run = launch(kind, port, dataDir, (chunk) => {
      printed = (printed + chunk).slice(-KEPT_OUTPUT_CHARACTERS);
    });
    try {
      await untilReady(kind, port, run, output);
    } catch (error) {
      await kill();
      throw error;
    }
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    run.child.kill(signal);
    await run.ended;
    run.watcher?.callOff();
  }

  const kill = () => end('SIGKILL');

  async function stop(): Promise<void> {
    await kill();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }

  for (let attempt = 1; ; attempt += 1) {
    port = await freePort();
    try {
      await start();
      break;
    } catch (error) {
      /* somebody else may have taken the port in between */
      if (attempt === PORT_ATTEMPTS || !/in use|EADDRINUSE/i.test(printed)) {
        await rm(dataDir, { recursive: true, force: true });
        throw error;
      }
    }
  }
  return {
    url: kind.url(port),
    process: {
      get pid() {
        return run.child.pid ?? -1;
      },
      get running() {
        return run.running;
      },
      output,
      end,
      kill,
      start,
      pause: () => void run.child.kill('SIGSTOP'),
      resume: () => void run.child.kill('SIGCONT'),
    },
    stop,
  };
}
