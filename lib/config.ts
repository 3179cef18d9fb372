import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CastellanError } from './errors.ts';

export const SERVICE_NAMES = [
  'gateway',
  'users',
  'connections',
  'session-node',
  'messages',
  'webhooks',
  'scheduler',
] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** Everything that the environment decides, parsed once. The only reader of `process.env`. */
export interface Config {
  /** TCP port of the gateway; 0 = any free one. PORT, default 3000 */
  port: number;
  /** HOST, default 127.0.0.1 */
  host: string;
  /** where the embedded store, the made keys and the seat live, absolute. DATA_DIR, default ./data */
  dataDir: string;
  /** where `npm run build` puts the dashboard, absolute; not from the environment */
  dashboardDir: string;
  /** ADMIN_API_KEY, at least 16 characters; null = made at the first start (embedded) */
  adminApiKey: string | null;
  /** 32 bytes. ENCRYPTION_KEY (base64); null = made under DATA_DIR (embedded only) */
  encryptionKey: Buffer | null;
  /** NATS_URL: `nats://` or `tls://`, several with commas between, user and password in them */
  natsUrl: string | null;
  redisUrl: string | null;
  mongoUrl: string | null;
  /** NODE_ID, default the host's name */
  nodeId: string;
  /** SERVICES, comma-separated; default all */
  services: readonly ServiceName[];
  logLevel: string;
  /** requests a second that one user may make, with bursts of twice that; 0 = no limit. RATE_LIMIT_PER_SECOND, default 300 */
  rateLimitPerSecond: number;
  /** ALLOW_PRIVATE_TARGETS, default false */
  allowPrivateTargets: boolean;
  whatsapp: {
    /** WA_WEBSOCKET_URL; null = WhatsApp's own */
    websocketUrl: string | null;
    /** WA_ROOT_PUBLIC_KEY, 32 bytes hex; refused unless WA_WEBSOCKET_URL is set */
    rootPublicKey: Buffer | null;
    /** WA_MEDIA_HOSTS, comma-separated */
    mediaHosts: readonly string[];
  };
}

type Env = Record<string, string | undefined>;

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

function invalid(name: string, wanted: string): never {
  throw new CastellanError('CONFIG_INVALID', `${name} must be ${wanted}.`);
}

function integer(env: Env, name: string, fallback: number, min: number, max: number): number {
  const raw = env[name];
  if (raw === undefined || raw === '') return fallback;
  const value = Number(raw);
  if (!/^\d+$/.test(raw) || value < min || value > max) invalid(name, `a whole number from ${min} to ${max}`);
  return value;
}

function oneOf(env: Env, name: string, fallback: string, allowed: readonly string[]): string {
  const value = env[name] || fallback;
  return allowed.includes(value) ? value : invalid(name, `one of ${allowed.join(', ')}`);
}

function url(env: Env, name: string, protocols: readonly string[]): string | null {
  const raw = env[name];
  if (!raw) return null;
  if (!URL.canParse(raw) || !protocols.includes(new URL(raw).protocol.slice(0, -1))) {
    invalid(name, `a URL that begins with ${protocols.map((p) => `${p}://`).join(' or ')}`);
  }
  return raw;
}

/** MongoDB names all members of a replica set in one URL, which no URL parser takes: `mongodb://a:27017,b:27017/db`. */
function mongoUrl(env: Env): string | null {
  const raw = env.MONGO_URL;
  if (!raw) return null;
  const single = raw.replace(/^(mongodb:\/\/(?:[^@/?]*@)?[^,/?]+)(?:,[^,/?]+)+/, '$1');
  const parsed = url({ MONGO_URL: single }, 'MONGO_URL', ['mongodb', 'mongodb+srv']);
  if (parsed && new URL(parsed).host === '') invalid('MONGO_URL', 'a URL that names a server');
  return raw;
}

/** Several servers, separated by commas. */
function natsUrl(env: Env): string | null {
  const urls = list(env.NATS_URL);
  for (const one of urls) url({ NATS_URL: one }, 'NATS_URL', ['nats', 'tls']);
  return urls.length > 0 ? urls.join(',') : null;
}

function list(raw: string | undefined): string[] {
  return (raw ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
}

function serviceNames(env: Env): readonly ServiceName[] {
  const names = list(env.SERVICES);
  if (names.length === 0) return SERVICE_NAMES;
  const known: readonly string[] = SERVICE_NAMES;
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) invalid('SERVICES', `a list of ${known.join(', ')} (unknown: ${unknown.join(', ')})`);
  return [...new Set(names)] as ServiceName[];
}

function encryptionKey(env: Env): Buffer | null {
  if (!env.ENCRYPTION_KEY) return null;
  const key = Buffer.from(env.ENCRYPTION_KEY, 'base64');
  return key.length === 32 ? key : invalid('ENCRYPTION_KEY', '32 bytes in base64');
}

function adminKey(env: Env): string | null {
  const key = env.ADMIN_API_KEY;
  if (!key) return null;
  return /^[\x21-\x7e]{16,255}$/.test(key) ? key : invalid('ADMIN_API_KEY', '16 to 255 printable characters');
}

function whatsapp(env: Env): Config['whatsapp'] {
  const websocketUrl = url(env, 'WA_WEBSOCKET_URL', ['ws', 'wss']);
  const root = env.WA_ROOT_PUBLIC_KEY;
  if (root && !websocketUrl) invalid('WA_ROOT_PUBLIC_KEY', 'unset unless WA_WEBSOCKET_URL is set');
  if (root && !/^[0-9a-f]{64}$/i.test(root)) invalid('WA_ROOT_PUBLIC_KEY', '32 bytes in hex');
  return {
    websocketUrl,
    rootPublicKey: root ? Buffer.from(root, 'hex') : null,
    mediaHosts: list(env.WA_MEDIA_HOSTS),
  };
}

/** @throws CONFIG_INVALID with the variable's name and range */
export function loadConfig(env: Env = process.env): Config {
  const mongo = mongoUrl(env);
  const key = encryptionKey(env);
  if (mongo && !key) invalid('ENCRYPTION_KEY', 'set when MONGO_URL is: every process must use the same one');
  return {
    port: integer(env, 'PORT', 3000, 0, 65535),
    host: env.HOST || '127.0.0.1',
    dataDir: resolve(env.DATA_DIR || './data'),
    dashboardDir: fileURLToPath(new URL('../dashboard/dist', import.meta.url)),
    adminApiKey: adminKey(env),
    encryptionKey: key,
    natsUrl: natsUrl(env),
    redisUrl: url(env, 'REDIS_URL', ['redis', 'rediss']),
    mongoUrl: mongo,
    nodeId: env.NODE_ID || hostname(),
    services: serviceNames(env),
    rateLimitPerSecond: integer(env, 'RATE_LIMIT_PER_SECOND', 300, 0, 1_000_000),
    logLevel: oneOf(env, 'LOG_LEVEL', 'info', LOG_LEVELS),
    allowPrivateTargets: oneOf(env, 'ALLOW_PRIVATE_TARGETS', 'false', ['true', 'false']) === 'true',
    whatsapp: whatsapp(env),
  };
}
