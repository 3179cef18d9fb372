import type { Cluster } from '../harness/cluster/cluster.ts';

/** Where everything is, as `--json` prints it when all of it is ready. */
export function readyLine(cluster: Cluster) {
  const { urls, adminKey, natsUrl, redisUrl, mongoUrl, simulator, members, dataDir } = cluster;
  return {
    event: 'ready',
    url: String(urls[0]),
    adminKey,
    nats: natsUrl,
    redis: redisUrl,
    mongo: mongoUrl,
    simulator,
    processes: members.map(({ pid, role, nodeId }) => ({ pid, role, nodeId })),
    dataDir,
    ...(urls.length > 1 && { urls }),
  };
}

/** The same for people. */
export function readyText(cluster: Cluster): string {
  const { urls, adminKey, natsUrl, redisUrl, mongoUrl, simulator, dataDir } = cluster;
  const rows = [
    ...urls.map((url) => ['API and dashboard', url]),
    ['admin key', adminKey],
    ['NATS', natsUrl],
    ['Redis', redisUrl],
    ['MongoDB', mongoUrl],
    ['WhatsApp', simulator ? `simulated: ${simulator.url}` : 'as WA_WEBSOCKET_URL says, otherwise the real one'],
    ...(simulator ? [['  its control API', `${simulator.controlUrl} (simulator/README.md)`]] : []),
    ['data', dataDir],
  ];
  return rows.map(([name = '', value]) => `${name.padEnd(20)}${value}`).join('\n');
}
