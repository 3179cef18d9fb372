import { untilReady } from '../castellan-process.ts';
import { type Child, spawnNode } from '../child.ts';
import type { CastellanRole, Engine } from './member.ts';

/** Which services a role runs; together they are all. */
const SERVICES_OF: Record<CastellanRole, string> = {
  gateway: 'gateway',
  services: 'users,connections,messages,webhooks,scheduler',
  'session-node': 'session-node',
};

export interface CastellanEngineOptions {
  role: CastellanRole;
  nodeId: string;
  /** its own; a session-node that starts anew on it takes its sessions back */
  dataDir: string;
  /** where a gateway listens on loopback */
  port: number | null;
  env: Readonly<Record<string, string>>;
  /** flags of Node itself */
  nodeFlags: readonly string[];
}

/** Castellan as it ships, `server.mjs` with SERVICES, in a process of its own. */
export function castellanEngine({ role, nodeId, dataDir, port, env, nodeFlags }: CastellanEngineOptions): Engine {
  let child: Child | null = null;
  let former = '';
  const settings = {
    ...env,
    SERVICES: SERVICES_OF[role],
    NODE_ID: nodeId,
    DATA_DIR: dataDir,
    HOST: '127.0.0.1',
    PORT: String(port ?? 0),
    /* these would be true for one process only */
    POD_UID: '',
    HEALTH_PORT: '',
  };

  return {
    pid: () => (child?.running ? child.pid : null),
    async start() {
      former += child?.output() ?? '';
      child = spawnNode([...nodeFlags, 'server.mjs'], settings);
      if (port === null) await child.line((line) => line.startsWith('Castellan runs ') || undefined);
      else await untilReady(`http://127.0.0.1:${port}`, child);
    },
    signal: (signal) => child?.signal(signal),
    end: async (signal) => child?.end(signal),
    output: () => former + (child?.output() ?? ''),
  };
}
