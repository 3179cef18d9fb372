import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedSecrets } from '../../../lib/storage/embedded-keys.ts';
import { watchOver } from '../../servers/watcher.ts';
import { type ApiClient, createApiClient } from '../api-client.ts';
import { type BackingServers, startBackingServers } from './backing-servers.ts';
import { type ClusterOptions, type Environment, type WhatsApp, whatsappEnv } from './cluster-options.ts';
import { createLauncher, type Launcher } from './launcher.ts';
import { CASTELLAN_ROLES, type CastellanRole, createMember, type Member } from './member.ts';
import { type SimulatorAddress, simulatorEngine } from './simulator-engine.ts';
import { untilUsable } from './until-usable.ts';

export type { ClusterOptions, WhatsApp } from './cluster-options.ts';
export { CASTELLAN_ROLES, type CastellanRole, type Member } from './member.ts';
export type { SimulatorAddress } from './simulator-engine.ts';

/** Castellan as a cluster of processes on this machine, on real servers. */
export interface Cluster {
  /** of the gateways; the first one is the one that is told */
  readonly urls: readonly string[];
  readonly adminKey: string;
  /** the first gateway, asked as the bootstrap admin */
  readonly api: ApiClient;
  readonly dataDir: string;
  readonly natsUrl: string;
  readonly redisUrl: string;
  readonly mongoUrl: string;
  /** what every process of Castellan was started with */
  readonly env: Environment;
  /** our own one */
  readonly simulator: SimulatorAddress | null;
  /** all that were ever started; those that stopped stay in it */
  readonly members: readonly Member[];
  /** By nodeId, otherwise the first of a role, one that runs before one that does not. @throws when there is none */
  find(id: string): Member;
  /** Starts one more. */
  add(role: CastellanRole): Promise<Member>;
  /** Ends everything: SIGTERM to Castellan, after `graceMs` (0 = at once) SIGKILL. Idempotent. */
  stop(graceMs?: number): Promise<void>;
}

const STOP_GRACE_MS = 10_000;

/** Starts everything and resolves when the API answers for every service. @throws with what the failing process printed */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const members: Member[] = [];
  const folder = await dataFolder(options.dataDir);
  let backing: BackingServers | null = null;
  let stopping: Promise<void> | null = null;

  const stop = (graceMs = STOP_GRACE_MS) => {
    stopping ??= (async () => {
      await Promise.all(members.map((member) => endWithin(member, graceMs)));
      await backing?.stop();
      await folder.leave();
    })();
    return stopping;
  };

  try {
    const simulator = await startSimulator(options.whatsapp, members);
    backing = await startBackingServers(options.servers ?? {});
    members.push(...backing.members);
    const env = castellanEnv(options, folder.path, backing, simulator);
    const launcher = createLauncher({ ...options, dataDir: folder.path, env, members });
    await launchAll(launcher, options);
    const adminKey = String(env.ADMIN_API_KEY);
    const api = createApiClient(String(launcher.urls[0]), adminKey);
    await untilUsable(api);
    const { natsUrl, redisUrl, mongoUrl } = backing;
    return {
      urls: launcher.urls,
      adminKey,
      api,
      dataDir: folder.path,
      natsUrl,
      redisUrl,
      mongoUrl,
      env,
      simulator,
      members,
      find: (id) => find(members, id),
      add: (role) => launcher.launch(role),
      stop,
    };
  } catch (error) {
    await stop(0);
    throw error;
  }
}

async function dataFolder(given: string | undefined): Promise<{ path: string; leave(): Promise<void> }> {
  if (given !== undefined) return { path: given, leave: async () => undefined };
  const path = await mkdtemp(join(tmpdir(), 'castellan-cluster-'));
  const watcher = watchOver({ folder: path });
  return {
    path,
    async leave() {
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
      watcher.callOff();
    },
  };
}

async function startSimulator(whatsapp: WhatsApp, members: Member[]): Promise<SimulatorAddress | null> {
  if (whatsapp !== 'own simulator') return null;
  const engine = simulatorEngine();
  const member = createMember('simulator', 'simulator', engine);
  members.push(member);
  await member.start();
  return engine.address();
}

function castellanEnv(
  { env = {}, whatsapp }: ClusterOptions,
  dataDir: string,
  { natsUrl, redisUrl, mongoUrl }: BackingServers,
  simulator: SimulatorAddress | null,
): Environment {
  const { encryptionKey, adminApiKey } = embeddedSecrets(dataDir, {
    adminApiKey: env.ADMIN_API_KEY || null,
    encryptionKey: env.ENCRYPTION_KEY ? Buffer.from(env.ENCRYPTION_KEY, 'base64') : null,
  });
  return {
    LOG_LEVEL: 'warn',
    ...env,
    ...whatsappEnv(typeof whatsapp === 'string' ? simulator : whatsapp),
    NATS_URL: natsUrl,
    REDIS_URL: redisUrl,
    MONGO_URL: mongoUrl,
    ADMIN_API_KEY: adminApiKey,
    ENCRYPTION_KEY: encryptionKey.toString('base64'),
  };
}

async function launchAll(launcher: Launcher, options: ClusterOptions): Promise<void> {
  const { gateways = 1, services = 1, sessionNodes, port } = options;
  const wanted: [CastellanRole, number][] = [
    ['gateway', gateways],
    ['services', services],
    ['session-node', sessionNodes],
  ];
  const launched = wanted.flatMap(([role, count]) =>
    Array.from({ length: count }, (_, n) => launcher.launch(role, role === 'gateway' && n === 0 ? port : undefined)),
  );
  /* all of them first, so that none starts while what has started is being ended */
  for (const one of await Promise.allSettled(launched)) if (one.status === 'rejected') throw one.reason;
}

function find(members: readonly Member[], id: string): Member {
  const named = members.find(({ nodeId }) => nodeId === id);
  const ofRole = members.filter(({ role }) => role === id);
  const found = named ?? ofRole.find(({ state }) => state !== 'stopped') ?? ofRole[0];
  if (found) return found;
  throw new Error(`there is no ${id}; there are ${members.map(({ nodeId }) => nodeId).join(', ')}`);
}

async function endWithin(member: Member, graceMs: number): Promise<void> {
  const isCastellan = (CASTELLAN_ROLES as readonly string[]).includes(member.role);
  if (isCastellan && graceMs > 0 && member.state === 'running') await member.stop(graceMs).catch(() => undefined);
  if (member.state !== 'stopped') await member.kill().catch(() => undefined);
}
