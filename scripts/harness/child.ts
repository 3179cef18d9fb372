import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { watchOver } from '../servers/watcher.ts';

const PROJECT_ROOT = fileURLToPath(new URL('../../', import.meta.url));
const KEPT_OUTPUT_BYTES = 8 * 1024 * 1024;

/** A child process of ours that never outlives us, however we end, and whose last output can be shown when something goes wrong. */
export interface Child {
  readonly pid: number;
  readonly running: boolean;
  /** the end of what it printed, standard output and error together */
  output(): string;
  /** Resolves with the first line on standard output that `match` accepts. @throws when it ends before */
  line<T>(match: (line: string) => T | undefined): Promise<T>;
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal and resolves when the process is gone. */
  end(signal?: NodeJS.Signals): Promise<void>;
  readonly ended: Promise<void>;
}

const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** @param args of Node itself, relative to the project's root */
export function spawnNode(args: readonly string[], env: Record<string, string | undefined> = {}): Child {
  const child = spawn(process.execPath, args, {
    cwd: PROJECT_ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    /* Ctrl-C is for us: it must not end a child before we have decided how */
    detached: true,
  });
  living.add(child);
  const watcher = child.pid === undefined ? null : watchOver({ pid: child.pid });

  let kept = '';
  const keep = (chunk: string) => {
    kept = (kept + chunk).slice(-KEPT_OUTPUT_BYTES);
  };
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);

  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  }).finally(() => {
    living.delete(child);
    watcher?.callOff();
  });

  return {
    pid: child.pid ?? -1,
    get running() {
      return living.has(child);
    },
    output: () => kept,
    line: (match) => firstLine(child, ended, match, () => kept),
    signal: (signal) => void child.kill(signal),
    ended,
    async end(signal = 'SIGKILL') {
      child.kill(signal);
      await ended;
    },
  };
}

function firstLine<T>(
  child: ChildProcess,
  ended: Promise<void>,
  match: (line: string) => T | undefined,
  output: () => string,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let rest = '';
    child.stdout?.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const found = match(line);
        if (found !== undefined) resolve(found);
      }
    });
    ended.then(() => reject(new Error(`the process ended before it was ready:\n${output()}`)));
  });
}
