import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../scripts/servers/server-process.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface ReadyLine {
  event: 'ready';
  url: string;
  adminKey: string;
  nats: string;
  redis: string;
  mongo: string;
  simulator: { url: string; controlUrl: string; rootPublicKey: string };
  processes: { pid: number; role: string; nodeId: string }[];
}

/** `npm run cluster -- --json` as whoever drives it sees it. */
export interface ClusterCli {
  ready: ReadyLine;
  /** Types a line and answers with the next one that is printed. */
  // biome-ignore lint/suspicious/noExplicitAny: what it is, is what the tests ask
  say(command: string): Promise<any>;
  signal(signal: NodeJS.Signals): void;
  /** its exit code, null after a signal */
  ended: Promise<number | null>;
}

export async function startClusterCli(flags: readonly string[], env: Record<string, string> = {}): Promise<ClusterCli> {
  const args = ['scripts/cluster.ts', '--json', ...flags];
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, PORT: String(await freePort()), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    complaints += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const printed = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();

  async function next() {
    const { value, done } = await printed.next();
    if (done) throw new Error(`it ended: ${complaints}`);
    return JSON.parse(value);
  }

  return {
    ready: await next(),
    async say(command) {
      child.stdin?.write(`${command}\n`);
      return next();
    },
    signal: (signal) => void child.kill(signal),
    ended,
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
