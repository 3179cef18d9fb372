import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection } from '../../lib/contracts/entities.ts';
import { type ApiClient, createApiClient } from '../../scripts/harness/api-client.ts';
import { startCastellanProcess } from '../../scripts/harness/castellan-process.ts';
import type { Contact } from '../../simulator/devices/contact.ts';
import type { Phone } from '../../simulator/devices/phone.ts';
import type { Simulator } from '../../simulator/index.ts';
import { createLoadClient } from '../load-client.ts';
import { probeSetup } from '../measured-process.ts';
import { openStoreCounts, type StoreCounts } from '../store-counts.ts';
import type { Line, Subject } from './subject.ts';

export interface CastellanOptions {
  simulator: Simulator;
  connections: number;
  contacts: readonly (readonly Contact[])[];
  nodeFlags: readonly string[];
}

const USER = 'bench';
/** registrations under way at the same time */
const PAIRING_LANES = 4;
const OPEN_TIMEOUT_MS = 120_000;
const POLL_MS = 20;

interface CastellanLine extends Line {
  connectionId: string;
}

/** Castellan as it ships: `server.mjs` in a process of its own, SQLite on disk, everything through REST. */
export async function castellanSubject(options: CastellanOptions): Promise<Subject> {
  const { simulator, connections, contacts, nodeFlags } = options;
  const dataDir = await mkdtemp(join(tmpdir(), 'castellan-bench-'));
  const probe = probeSetup();
  const castellan = await startCastellanProcess({
    dataDir,
    whatsapp: { url: simulator.url, rootPublicKey: simulator.rootPublicKey },
    nodeFlags: [...probe.nodeFlags, ...nodeFlags],
    env: { ...probe.env, RATE_LIMIT_PER_SECOND: '0' },
  });
  const key = await makeUser(castellan.api);
  const api = createApiClient(castellan.url, key);
  const lines = await pairLines(api, simulator, connections, contacts);
  await castellan.stop();
  const counts = openStoreCounts(dataDir);

  return {
    name: 'Castellan',
    async start() {
      await castellan.start();
      await until(OPEN_TIMEOUT_MS, () => counts.openConnections() === connections);
      let received = counts.inbound();
      return {
        process: probe.measure(castellan.pid),
        lines,
        send: (perChat) => sendThrough(castellan.url, key, lines, perChat, counts),
        untilReceived(count) {
          received += count;
          return until(Number.POSITIVE_INFINITY, () => counts.inbound() >= received);
        },
        stop: () => castellan.stop(),
      };
    },
    async close() {
      counts.close();
      await castellan.kill();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function makeUser(admin: ApiClient): Promise<string> {
  await admin.ask('POST', '/user/create', { username: USER, email: 'bench@example.org', userId: USER });
  return (await admin.ask<{ key: string }>('POST', `/user/${USER}/key/create`, {})).key;
}

async function pairLines(
  api: ApiClient,
  simulator: Simulator,
  count: number,
  contacts: readonly (readonly Contact[])[],
): Promise<CastellanLine[]> {
  const lines: CastellanLine[] = [];
  let next = 0;
  async function lane(): Promise<void> {
    for (let n = next++; n < count; n = next++) {
      const phone = simulator.devices.createPhone({ pn: `1666${1_000_000 + n}` });
      lines[n] = { connectionId: await pair(api, phone, n), phone, contacts: contacts[n] ?? [] };
    }
  }
  await Promise.all(Array.from({ length: PAIRING_LANES }, lane));
  return lines;
}

async function pair(api: ApiClient, phone: Phone, n: number): Promise<string> {
  const { connectionId } = await api.ask<Connection>('POST', '/connection/create', { name: `bench ${n}` });
  await phone.scanQr(await api.untilQr(connectionId));
  await api.untilStatus(connectionId, 'open');
  return connectionId;
}

/** One client for each line asks for one message after the other, over all of its chats in turn. */
async function sendThrough(
  url: string,
  key: string,
  lines: readonly CastellanLine[],
  perChat: number,
  counts: StoreCounts,
): Promise<void> {
  const client = createLoadClient(url, key, lines.length);
  const before = counts.sent();
  async function sendOver({ connectionId, contacts }: CastellanLine): Promise<void> {
    for (let n = 0; n < perChat; n += 1) {
      for (const { pn } of contacts) await client.send({ connectionId, to: pn, content: `message ${n}` });
    }
  }
  await Promise.all(lines.map(sendOver));
  client.close();
  const wanted = before + perChat * lines.reduce((sum, { contacts }) => sum + contacts.length, 0);
  await until(Number.POSITIVE_INFINITY, () => counts.sent() >= wanted);
}

async function until(timeoutMs: number, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
