import { ServiceBroker as Broker, type ServiceBroker, type ServiceSchema } from 'moleculer';
import type { Config, ServiceName } from './lib/config.ts';
import { createRuntime, type RuntimeOptions } from './lib/create-runtime.ts';
import { createHealthServer, type HealthServer } from './lib/http/health-server.ts';
import { createLog, type Log } from './lib/log.ts';
import type { Runtime } from './lib/runtime.ts';
import brokerOptions from './moleculer.config.ts';
import type { GatewayService } from './services/gateway.service.ts';
import type { SessionNodeService } from './services/session-node.service.ts';

export interface Castellan {
  /** of the gateway; null when this process runs none */
  url: string | null;
  /** where it answers probes; null without HEALTH_PORT */
  healthUrl: string | null;
  adminKey: string;
  /** the admin key was made by this start: show it now, nobody has seen it */
  adminKeyMade: boolean;
  /** Resolves when this process cannot go on and should be started anew: another one runs under its name */
  failed: Promise<Error>;
  broker: ServiceBroker;
  runtime: Runtime;
  /** Drains, stops the services, closes the store. Every step is tried, whatever the others do. Idempotent. */
  stop(): Promise<void>;
}

type ServiceFactory = (runtime: Runtime) => ServiceSchema;

/** Loaded on demand: a process that runs one service does not load the others' libraries. */
const SERVICES: Record<ServiceName, () => Promise<{ default: ServiceFactory }>> = {
  gateway: () => import('./services/gateway.service.ts'),
  users: () => import('./services/users.service.ts'),
  connections: () => import('./services/connections.service.ts'),
  'session-node': () => import('./services/session-node.service.ts'),
  messages: () => import('./services/messages.service.ts'),
  webhooks: () => import('./services/webhooks.service.ts'),
  scheduler: () => import('./services/scheduler.service.ts'),
};

/**
 * Starts the services that the configuration names in this process. Nothing is global: several can run side by side.
 * @param options what tests and benchmarks put in place of the real thing
 * @throws CONFIG_INVALID, STORE_UNAVAILABLE
 */
export async function startCastellan(config: Config, options: RuntimeOptions = {}): Promise<Castellan> {
  const health = await openHealth(config, options);
  const runtime = await createRuntime(config, options).catch(async (error: unknown) => {
    await health?.close();
    throw error;
  });
  const broker = new Broker(brokerOptions(config, runtime.log));
  const stop = once(() => stopInOrder(broker, runtime, health));
  try {
    for (const name of config.services) broker.createService((await SERVICES[name]()).default(runtime));
    if (config.cluster) broker.createService((await import('./services/commit-bell.service.ts')).default(runtime));
    await startAll(broker);
  } catch (error) {
    await stop();
    throw error;
  }
  health?.ready(healthOf(broker, config));
  return {
    url: gatewayOf(broker)?.url() ?? null,
    healthUrl: health?.url() ?? null,
    adminKey: runtime.admin.key,
    adminKeyMade: runtime.admin.isNew,
    failed: runtime.failed,
    broker,
    runtime,
    stop,
  };
}

/** Moleculer reports a service that does not start to its own error handler; a process must fail with the reason. */
async function startAll(broker: ServiceBroker): Promise<void> {
  let failure: unknown;
  broker.localBus.on('$broker.error', ({ error }: { error: unknown }) => {
    failure ??= error;
  });
  await broker.start();
  if (failure) throw failure;
}

function gatewayOf(broker: ServiceBroker): GatewayService | undefined {
  return broker.getLocalService('gateway') as GatewayService | undefined;
}

function sessionNodeOf(broker: ServiceBroker): SessionNodeService | undefined {
  return broker.getLocalService('session-node') as SessionNodeService | undefined;
}

/** Listens before anything else, so that a probe sees a start that waits for its stores. */
async function openHealth(config: Config, options: RuntimeOptions): Promise<HealthServer | null> {
  const { host, healthPort, logLevel, nodeId } = config;
  if (healthPort === null) return null;
  const log = options.log ?? createLog(logLevel, { nodeId });
  const health = createHealthServer({ host, port: healthPort, log });
  await health.listen();
  return health;
}

function healthOf(broker: ServiceBroker, { nodeCapacity: capacity }: Config) {
  const sessionNode = sessionNodeOf(broker);
  return {
    node: () => sessionNode && { ...sessionNode.info(), capacity },
    drain: async () => sessionNode?.drain(),
  };
}

/** From the outside in: no request meets a service that has already gone. Probes are answered until the end. */
async function stopInOrder(broker: ServiceBroker, runtime: Runtime, health: HealthServer | null): Promise<void> {
  const { log } = runtime;
  health?.stopping();
  await guarded(log, 'drain the gateway', async () => gatewayOf(broker)?.drain());
  /* while the bus still carries hints to the successors */
  await guarded(log, 'hand the sessions over', async () => sessionNodeOf(broker)?.drain());
  await guarded(log, 'stop the services', () => broker.stop());
  await guarded(log, 'close the runtime', () => runtime.close());
  await guarded(log, 'close the health listener', async () => health?.close());
}

async function guarded(log: Log, step: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    log.error({ err: error, step }, 'A step of the shutdown failed.');
  }
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  return () => {
    running ??= run();
    return running;
  };
}
