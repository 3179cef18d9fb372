import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceBroker } from 'moleculer';
import { loadConfig } from '../../lib/config.ts';
import type { RuntimeOptions } from '../../lib/create-runtime.ts';
import { silentLog } from '../../lib/log.ts';
import { type Child, spawnNode } from '../../scripts/harness/child.ts';
import {
  type RunningServer,
  type ServerProcess,
  startMongo,
  startOwnNats,
  startRedis,
} from '../../scripts/servers/index.ts';
import type { Phone } from '../../simulator/devices/phone.ts';
import { type Simulator, startSimulator } from '../../simulator/index.ts';
import { type Castellan, startCastellan } from '../../start.ts';
import { type Api, createApi } from './api.ts';
import { eventually } from './eventually.ts';

/** What a cluster's processes run beside gateways and session-nodes. */
export const INNER_SERVICES = 'users,connections,messages,webhooks,scheduler';

export interface Member extends Castellan {
  nodeId: string;
  /** the admin's client of its gateway; of a member without one every call fails */
  admin: Api;
}

/** A member that is a process of its own: it can be killed and stopped in its tracks. */
export interface MemberProcess extends Child {
  nodeId: string;
}

export interface TestUser {
  userId: string;
  key: string;
  keyId: string;
  /** of the first gateway */
  api: Api;
}

export interface Line {
  connectionId: string;
  phone: Phone;
}

/**
 * A cluster on servers of its own, which a test may kill, pause and start again: several Castellans in this process, and
 * some as processes of their own, with a simulated WhatsApp beside them.
 */
export interface TestCluster {
  nats: ServerProcess;
  redis: ServerProcess;
  redisUrl: string;
  mongo: ServerProcess;
  /** each member has a folder of its name in it, unless it is given another */
  dataDir: string;
  simulator: Simulator;
  members: readonly Member[];
  /** Starts a Castellan here. @param env over what all of them have. Resolves when all members know each other. */
  join(nodeId: string, services: string, env?: Record<string, string>, options?: RuntimeOptions): Promise<Member>;
  /** The same as a process of its own. */
  spawn(nodeId: string, services: string, env?: Record<string, string>): Promise<MemberProcess>;
  /** Stops a member in the planned way. */
  leave(member: Member): Promise<void>;
  newUser(username: string): Promise<TestUser>;
  /** Creates a connection and has a new phone scan its QR code. @returns it open */
  openLine(api: Api, pn: string): Promise<Line>;
  untilStatus(api: Api, connectionId: string, status: string): Promise<void>;
  end(): Promise<void>;
}

const ADMIN_KEY = 'cst_admin_key_of_a_test_cluster';

function ownProcess({ process }: RunningServer): ServerProcess {
  if (!process) throw new Error('A test that kills servers needs its own.');
  return process;
}

/** Of what the broker of a member has heard: the services of all others, by node. */
function knows(broker: ServiceBroker, nodeId: string): boolean {
  const nodes: { id: string; available: boolean; services?: unknown[] }[] = broker.registry.getNodeList({
    onlyAvailable: true,
    withServices: true,
  });
  return nodes.some(({ id, services }) => id === nodeId && (services?.length ?? 0) > 0);
}

/** All of them, or none: what started beside one that did not is stopped again. */
async function startServers(
  durable: boolean,
): Promise<[nats: RunningServer, redis: RunningServer, mongo: RunningServer]> {
  const starting = [startOwnNats(), startRedis({}), startMongo({}, { durable })] as const;
  try {
    return await Promise.all(starting);
  } catch (error) {
    for (const result of await Promise.allSettled(starting)) {
      if (result.status === 'fulfilled') await result.value.stop();
    }
    throw error;
  }
}

/** @param options `durable`: what MongoDB has answered survives its being killed; slower */
export async function startTestCluster({ durable = false } = {}): Promise<TestCluster> {
  const dataDir = await mkdtemp(join(tmpdir(), 'castellan-cluster-'));
  const servers = await startServers(durable);
  const [nats, redis, mongo] = servers;
  const simulator = await startSimulator();
  const members: Member[] = [];
  const children: MemberProcess[] = [];

  const common = {
    NATS_URL: nats.url,
    REDIS_URL: redis.url,
    MONGO_URL: mongo.url,
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    ADMIN_API_KEY: ADMIN_KEY,
    PORT: '0',
    RATE_LIMIT_PER_SECOND: '0',
    ALLOW_PRIVATE_TARGETS: 'true',
    LOG_LEVEL: 'silent',
    WA_WEBSOCKET_URL: simulator.url,
    WA_ROOT_PUBLIC_KEY: simulator.rootPublicKey,
  };
  const envOf = (nodeId: string, services: string, env: Record<string, string>) => ({
    ...common,
    NODE_ID: nodeId,
    SERVICES: services,
    DATA_DIR: join(dataDir, nodeId),
    ...env,
  });

  async function untilAcquainted(): Promise<void> {
    const everybody = [...members, ...children].map(({ nodeId }) => nodeId);
    await eventually(
      () => {
        for (const { broker, nodeId } of members) {
          const missing = everybody.filter((other) => other !== nodeId && !knows(broker, other));
          if (missing.length > 0) throw new Error(`${nodeId} has not heard of ${missing}`);
        }
      },
      { timeoutMs: 30_000 },
    );
  }

  async function newUser(username: string): Promise<TestUser> {
    const { admin, url } = gateway();
    const email = `${username}@example.org`;
    const { userId } = (await admin.post('/v1/wa/user/create', { username, email })).body;
    const { key, keyId } = (await admin.post(`/v1/wa/user/${userId}/key/create`, {})).body;
    return { userId, key, keyId, api: createApi(String(url), key) };
  }

  function gateway(): Member {
    const first = members.find(({ url }) => url !== null);
    if (!first) throw new Error('The cluster has no gateway.');
    return first;
  }

  async function untilStatus(api: Api, connectionId: string, status: string): Promise<void> {
    await eventually(
      async () => {
        const { body } = await api.get(`/v1/wa/connection/${connectionId}`);
        if (body.status !== status) throw new Error(`${body.status} (${body.statusReason}), wanted ${status}`);
      },
      { timeoutMs: 45_000 },
    );
  }

  async function untilQr(api: Api, connectionId: string): Promise<string> {
    return eventually(
      async () => {
        const { body } = await api.get(`/v1/wa/connection/${connectionId}/auth`);
        if (body.authState !== 'ready') throw new Error(`The login is ${body.authState}.`);
        return body.qr;
      },
      { timeoutMs: 45_000 },
    );
  }

  return {
    nats: ownProcess(nats),
    redis: ownProcess(redis),
    redisUrl: redis.url,
    mongo: ownProcess(mongo),
    dataDir,
    simulator,
    members,

    async join(nodeId, services, env = {}, options = {}) {
      const config = loadConfig(envOf(nodeId, services, env));
      const castellan = await startCastellan(config, { log: silentLog, ...options });
      const admin = createApi(castellan.url ?? 'http://127.0.0.1:9', ADMIN_KEY);
      const member = { ...castellan, nodeId, admin };
      members.push(member);
      await untilAcquainted();
      return member;
    },

    async spawn(nodeId, services, env = {}) {
      const child = { ...spawnNode(['server.mjs'], envOf(nodeId, services, env)), nodeId };
      children.push(child);
      child.ended.then(() => children.splice(children.indexOf(child), 1));
      await untilAcquainted();
      return child;
    },

    async leave(member) {
      members.splice(members.indexOf(member), 1);
      await member.stop();
    },

    newUser,

    async openLine(api, pn) {
      const phone = simulator.devices.createPhone({ pn });
      const { connectionId } = (await api.post('/v1/wa/connection/create', {})).body;
      await phone.scanQr(await untilQr(api, connectionId));
      await untilStatus(api, connectionId, 'open');
      return { connectionId, phone };
    },

    untilStatus,

    async end() {
      await Promise.all(children.map((child) => child.end('SIGKILL')));
      /* a server that is paused would hold up whoever says goodbye to it */
      for (const { process } of servers) process?.resume();
      await Promise.all(members.map((member) => member.stop()));
      await simulator.close();
      await Promise.all(servers.map((server) => server.stop()));
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
