import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../servers/server-process.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { type Child, spawnNode } from './child.ts';

const ADMIN_KEY = 'cst_harness_admin_key_0123456789';
const READY_TIMEOUT_MS = 30_000;
const READY_POLL_MS = 20;

export interface CastellanOptions {
  dataDir: string;
  whatsapp: { url: string; rootPublicKey: string };
  env?: Record<string, string>;
  /** flags of Node itself */
  nodeFlags?: readonly string[];
}

/** Castellan as its users start it: a process of its own, `server.mjs`, reached over HTTP. */
export interface CastellanProcess {
  readonly api: ApiClient;
  readonly url: string;
  readonly pid: number;
  output(): string;
  /** `kill -9` */
  kill(): Promise<void>;
  /** SIGTERM; resolves when the process is gone */
  stop(): Promise<void>;
  /** the same data, port and environment in a new process; resolves when it is ready */
  start(): Promise<void>;
}

export async function startCastellanProcess(options: CastellanOptions): Promise<CastellanProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    PORT: String(port),
    HOST: '127.0.0.1',
    DATA_DIR: options.dataDir,
    ADMIN_API_KEY: ADMIN_KEY,
    WA_WEBSOCKET_URL: options.whatsapp.url,
    WA_ROOT_PUBLIC_KEY: options.whatsapp.rootPublicKey,
    ALLOW_PRIVATE_TARGETS: 'true',
    LOG_LEVEL: 'warn',
    ...options.env,
  };
  let child: Child;

  async function start() {
    child = spawnNode([...(options.nodeFlags ?? []), 'server.mjs'], env);
    await untilReady(url, child);
  }

  await start();
  return {
    api: createApiClient(url, ADMIN_KEY),
    url,
    get pid() {
      return child.pid;
    },
    output: () => child.output(),
    kill: () => child.end('SIGKILL'),
    stop: () => child.end('SIGTERM'),
    start,
  };
}

/** Resolves when a gateway says that it is ready. @throws with what the process printed */
export async function untilReady(url: string, child: Child): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < deadline && child.running) {
    const answer = await fetch(`${url}/health/ready`).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await delay(READY_POLL_MS);
  }
  throw new Error(`Castellan did not become ready:\n${child.output()}`);
}
