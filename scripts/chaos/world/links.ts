import { type FaultyProxy, startFaultyProxy, targetOf, through } from '../../harness/faulty-proxy.ts';

/** The ways of one session-node to what it needs. */
export interface Links {
  mongo: FaultyProxy;
  redis: FaultyProxy;
  whatsapp: FaultyProxy;
}

export interface LinkBoard {
  /** @throws when the node has none */
  of(nodeId: string): Links;
  /** Makes a node's ways. @returns what tells the node to take them */
  lay(nodeId: string, common: Readonly<Record<string, string>>): Promise<Record<string, string>>;
  heal(): void;
  close(): Promise<void>;
}

export function createLinkBoard(): LinkBoard {
  const board = new Map<string, Links>();
  const all = () => [...board.values()].flatMap((links) => Object.values(links) as FaultyProxy[]);
  return {
    of(nodeId) {
      const links = board.get(nodeId);
      if (!links) throw new Error(`${nodeId} has no ways of its own`);
      return links;
    },
    async lay(nodeId, { MONGO_URL = '', REDIS_URL = '', WA_WEBSOCKET_URL = '' }) {
      const [mongo, redis, whatsapp] = await Promise.all(
        [MONGO_URL, REDIS_URL, WA_WEBSOCKET_URL].map((url) => startFaultyProxy(targetOf(url))),
      );
      if (!mongo || !redis || !whatsapp) throw new Error('a proxy is missing');
      board.set(nodeId, { mongo, redis, whatsapp });
      return {
        MONGO_URL: through(MONGO_URL, mongo),
        REDIS_URL: through(REDIS_URL, redis),
        WA_WEBSOCKET_URL: through(WA_WEBSOCKET_URL, whatsapp),
      };
    },
    heal() {
      for (const proxy of all()) proxy.heal();
    },
    async close() {
      await Promise.all(all().map((proxy) => proxy.close()));
    },
  };
}
