import { type RunningServer, startMongo, startNats, startRedis } from '../../servers/index.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { createMember, type Engine, type Member } from './member.ts';

/** What a cluster stands on. Those that the environment names are somebody else's: they are used and left alone. */
export interface BackingServers {
  readonly natsUrl: string;
  readonly redisUrl: string;
  readonly mongoUrl: string;
  /** our own ones */
  readonly members: readonly Member[];
  /** Ends our own ones and removes their data. */
  stop(): Promise<void>;
}

/** @param env where NATS_URL, REDIS_URL and MONGO_URL may name servers */
export async function startBackingServers(env: NodeJS.ProcessEnv): Promise<BackingServers> {
  const starting = [startNats(env), startRedis(env), startMongo(env, { durable: true })] as const;
  const stop = async () => {
    const started = await Promise.allSettled(starting);
    await Promise.all(started.map((one) => (one.status === 'fulfilled' ? one.value.stop() : undefined)));
  };
  try {
    const [nats, redis, mongo] = await Promise.all(starting);
    return {
      natsUrl: nats.url,
      redisUrl: redis.url,
      mongoUrl: mongo.url,
      members: [...memberOf('nats', nats), ...memberOf('redis', redis), ...memberOf('mongo', mongo)],
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function memberOf(role: 'nats' | 'redis' | 'mongo', { process }: RunningServer): Member[] {
  return process ? [createMember(role, role, serverEngine(process))] : [];
}

function serverEngine(server: ServerProcess): Engine {
  return {
    pid: () => (server.running ? server.pid : null),
    start: () => server.start(),
    signal: (signal) => (signal === 'SIGSTOP' ? server.pause() : server.resume()),
    end: (signal) => server.end(signal),
    output: () => server.output(),
  };
}
