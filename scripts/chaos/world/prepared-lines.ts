import { loadConfig } from '../../../lib/config.ts';
import { newConnectionRow } from '../../../lib/connections/connection-row.ts';
import { createRuntime } from '../../../lib/create-runtime.ts';
import { newId } from '../../../lib/ids.ts';
import { silentLog } from '../../../lib/log.ts';
import type { ConnectionDoc } from '../../../lib/storage/collections.ts';
import type { PreparedAccount } from '../../../simulator/devices/prepare.ts';
import type { Simulator } from '../../../simulator/index.ts';
import type { Cluster } from '../../harness/cluster/cluster.ts';
import { importAccount } from '../../harness/import-account.ts';
import type { Line } from '../traffic.ts';

export const TENANT = 'chaos';
const PRE_KEYS = 20;
const LANES = 8;

/**
 * Connections whose account was paired before, written as an import would: a thousand real pairings would take a quarter
 * of an hour. Every one has a contact to talk to.
 */
export async function prepareLines(cluster: Cluster, simulator: Simulator, count: number): Promise<Line[]> {
  await cluster.api.ask('POST', '/user/create', { username: TENANT, email: 'chaos@example.org', userId: TENANT });
  const env = { ...cluster.env, SERVICES: 'users', NODE_ID: 'import', DATA_DIR: cluster.dataDir };
  const runtime = await createRuntime(loadConfig(env), { log: silentLog });
  const accounts = simulator.devices.prepare(count, { preKeys: PRE_KEYS });
  const lines: Line[] = [];
  let next = 0;
  async function lane(): Promise<void> {
    for (let n = next++; n < count; n = next++) {
      const account = accounts[n] as PreparedAccount;
      const connectionId = newId('connection');
      await importAccount(runtime, { connectionId, userId: TENANT }, account);
      await runtime.store
        .collection<ConnectionDoc>('connections')
        .insertOne(newConnectionRow(connectionId, TENANT, {}, Date.now()));
      const contact = simulator.devices.createContact({ pn: `1999${1_000_000 + n}` });
      lines[n] = { connectionId, phone: account.phone, contact };
    }
  }
  try {
    await Promise.all(Array.from({ length: LANES }, lane));
  } finally {
    await runtime.close();
  }
  return lines;
}
