import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CastellanError } from './errors.ts';
import { contradictionIn, DEFAULT_OWNERSHIP_TIMINGS as DEFAULTS, type OwnershipTimings } from './timings.ts';

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

export interface ClusterUrls {
  /** NATS_URL: `nats://` or `tls://`, several with commas between, user and password in them */
  natsUrl: string;
  /** REDIS_URL: `redis://` or `rediss://` */
  redisUrl: string;
  /** MONGO_URL: `mongodb://` or `mongodb+srv://` */
  mongoUrl: string;
}

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
  /** the bus, the locks and the documents of a cluster: all three or none (then everything is embedded) */
  cluster: ClusterUrls | null;
  /** NODE_ID, default the host's name; unique in the cluster */
  nodeId: string;
  /** POD_UID, from Kubernetes' downward API: a process that starts anew under it proves that the former one is gone */
  podUid: string | null;
  /** NODE_CAPACITY: sessions that this node is meant for; its weight in the placement. Default 1,000 */
  nodeCapacity: number;
  /** HEALTH_PORT: where a process without a gateway answers probes; null = nowhere */
  healthPort: number | null;
  timings: OwnershipTimings;
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

/** Half a cluster would lose the promises of both modes. */
function clusterUrls(env: Env): ClusterUrls | null {
  const urls = {
    NATS_URL: natsUrl(env),
    REDIS_URL: url(env, 'REDIS_URL', ['redis', 'rediss']),
    MONGO_URL: mongoUrl(env),
  };
  const missing = Object.entries(urls).flatMap(([name, value]) => (value === null ? [name] : []));
  if (missing.length === 3) return null;
  if (missing[0])
    invalid(missing[0], 'set too: a cluster needs NATS_URL, REDIS_URL and MONGO_URL, one process none of them');
  return { natsUrl: urls.NATS_URL ?? '', redisUrl: urls.REDIS_URL ?? '', mongoUrl: urls.MONGO_URL ?? '' };
}

/** It is part of a lock's value, of metrics and of the bus's topics. */
function nodeId(env: Env): string {
  const id = env.NODE_ID || hostname();
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(id)
    ? id
    : invalid('NODE_ID', 'up to 128 letters, digits, dots, dashes and underscores');
}

function ownershipTimings(env: Env): OwnershipTimings {
  const ms = (name: string, fallback: number) => integer(env, name, fallback, 10, 3_600_000);
  const timings = {
    lockTtlMs: ms('LOCK_TTL_MS', DEFAULTS.lockTtlMs),
    renewIntervalMs: ms('LOCK_RENEW_MS', DEFAULTS.renewIntervalMs),
    heartbeatIntervalMs: ms('HEARTBEAT_MS', DEFAULTS.heartbeatIntervalMs),
    leaseDeadlineMs: ms('LEASE_DEADLINE_MS', DEFAULTS.leaseDeadlineMs),
    ownerSilenceMs: ms('OWNER_SILENCE_MS', DEFAULTS.ownerSilenceMs),
    membershipReadMs: ms('MEMBERSHIP_READ_MS', DEFAULTS.membershipReadMs),
    membershipGapMs: ms('MEMBERSHIP_GAP_MS', DEFAULTS.membershipGapMs),
    settleMs: ms('PLACEMENT_SETTLE_MS', DEFAULTS.settleMs),
    claimsPerSecond: integer(env, 'CLAIMS_PER_SECOND', DEFAULTS.claimsPerSecond, 1, 10_000),
    claimBurst: integer(env, 'CLAIM_BURST', DEFAULTS.claimBurst, 1, 10_000),
    drainTimeoutMs: ms('DRAIN_TIMEOUT_MS', DEFAULTS.drainTimeoutMs),
  };
  const contradiction = contradictionIn(timings);
  if (contradiction) throw new CastellanError('CONFIG_INVALID', `${contradiction}.`);
  return timings;
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
  const cluster = clusterUrls(env);
  const key = encryptionKey(env);
  const admin = adminKey(env);
  if (cluster && !key) invalid('ENCRYPTION_KEY', 'set in a cluster: every process must use the same one');
  if (cluster && !admin) invalid('ADMIN_API_KEY', 'set in a cluster: every process must use the same one');
  return {
    port: integer(env, 'PORT', 3000, 0, 65535),
    host: env.HOST || '127.0.0.1',
    dataDir: resolve(env.DATA_DIR || './data'),
    dashboardDir: fileURLToPath(new URL('../dashboard/dist', import.meta.url)),
    adminApiKey: admin,
    encryptionKey: key,
    cluster,
    nodeId: nodeId(env),
    podUid: env.POD_UID || null,
    nodeCapacity: integer(env, 'NODE_CAPACITY', 1_000, 1, 1_000_000),
    healthPort: env.HEALTH_PORT ? integer(env, 'HEALTH_PORT', 0, 0, 65_535) : null,
    timings: ownershipTimings(env),
    services: serviceNames(env),
    rateLimitPerSecond: integer(env, 'RATE_LIMIT_PER_SECOND', 300, 0, 1_000_000),
    logLevel: oneOf(env, 'LOG_LEVEL', 'info', LOG_LEVELS),
    allowPrivateTargets: oneOf(env, 'ALLOW_PRIVATE_TARGETS', 'false', ['true', 'false']) === 'true',
    whatsapp: whatsapp(env),
  };
}
