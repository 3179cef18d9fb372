import type { SimulatorAddress } from './simulator-engine.ts';

/** Which WhatsApp the session-nodes log in to: a simulator of our own, one that is given, or WhatsApp itself. */
export type WhatsApp = 'own simulator' | 'real' | { url: string; rootPublicKey?: string };

export interface ClusterOptions {
  sessionNodes: number;
  /** default 1 */
  gateways?: number;
  /** processes that run all other services; default 1 */
  services?: number;
  whatsapp: WhatsApp;
  /** of the first gateway; default a free one. The other gateways' are always free ones */
  port?: number;
  /** default a temporary folder that is removed at the end */
  dataDir?: string;
  /** for every process of Castellan; ADMIN_API_KEY and ENCRYPTION_KEY are made under `dataDir` when they are missing */
  env?: Record<string, string>;
  /** where NATS_URL, REDIS_URL and MONGO_URL may name servers to use instead of own ones */
  servers?: NodeJS.ProcessEnv;
  /** What one session-node sees instead of what the others see, such as a way to a server that can be cut. */
  envOf?(nodeId: string, common: Environment): Promise<Record<string, string>>;
  /** flags of Node itself, for session-nodes */
  nodeFlags?: readonly string[];
}

export type Environment = Readonly<Record<string, string>>;

/** What tells a process which WhatsApp there is; nothing = the real one. */
export function whatsappEnv(whatsapp: SimulatorAddress | { url: string; rootPublicKey?: string } | null): Environment {
  if (!whatsapp) return { WA_WEBSOCKET_URL: '', WA_ROOT_PUBLIC_KEY: '' };
  return { WA_WEBSOCKET_URL: whatsapp.url, WA_ROOT_PUBLIC_KEY: whatsapp.rootPublicKey ?? '' };
}
