import { randomUUID } from 'node:crypto';
import { type AuthenticationCreds, BufferJSON, type SignalDataSet } from '@whiskeysockets/baileys';
import { loadConfig } from '../../../lib/config.ts';
import { createRuntime } from '../../../lib/create-runtime.ts';
import { newId } from '../../../lib/ids.ts';
import { silentLog } from '../../../lib/log.ts';
import type { Runtime } from '../../../lib/runtime.ts';
import { createBaileysState } from '../../../lib/session/baileys/auth-state.ts';
import { ownParty } from '../../../lib/session/baileys/identity.ts';
import { encodeBinary } from '../../../lib/session/journal/binary-codec.ts';
import { journalActivation } from '../../../lib/session/journal/session-store.ts';
import type { ConnectionDoc } from '../../../lib/storage/collections.ts';
import type { PreparedAccount } from '../../../simulator/devices/prepare.ts';
import type { Simulator } from '../../../simulator/index.ts';
import type { Cluster } from '../../harness/cluster/cluster.ts';
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
      await importAccount(runtime, connectionId, account);
      await runtime.store.collection<ConnectionDoc>('connections').insertOne(newRow(connectionId));
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

async function importAccount(runtime: Runtime, connectionId: string, account: PreparedAccount): Promise<void> {
  const revive = <T>(value: unknown) => JSON.parse(JSON.stringify(value), BufferJSON.reviver) as T;
  const owner = { nodeId: 'import', incarnation: randomUUID() };
  const activation = journalActivation(await runtime.sessions.takeOver(connectionId, TENANT, owner));
  const creds = revive<AuthenticationCreds>(account.creds);
  activation.stage({
    credentials: { bytes: encodeBinary(creds), registered: true, me: creds.me ? ownParty(creds.me) : null },
  });
  await createBaileysState(activation).auth.keys.set(revive<SignalDataSet>(account.keys));
  await activation.flush();
  await activation.close({ release: true });
}

function newRow(connectionId: string): ConnectionDoc {
  const now = Date.now();
  return {
    _id: connectionId,
    userId: TENANT,
    name: null,
    desiredState: 'running',
    status: 'created',
    statusReason: null,
    statusCode: null,
    restrictions: [],
    degraded: false,
    me: null,
    worker: null,
    deviceInfo: null,
    metadata: null,
    pairing: { method: 'qr', phoneNumber: null },
    epoch: 0,
    generation: 0,
    outboxSeq: 0,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  };
}
