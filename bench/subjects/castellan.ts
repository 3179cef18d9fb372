import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCastellanProcess } from '../../scripts/harness/castellan-process.ts';
import type { Contact } from '../../simulator/devices/contact.ts';
import type { Simulator } from '../../simulator/index.ts';
import { createLoadClient } from '../load-client.ts';
import { probeSetup } from '../measured-process.ts';
import { openStoreCounts, type StoreCounts } from '../store-counts.ts';
import { openLines, type PairedLine } from './pairing.ts';
import type { Subject } from './subject.ts';

export interface CastellanOptions {
  simulator: Simulator;
  connections: number;
  contacts: readonly (readonly Contact[])[];
  nodeFlags: readonly string[];
}

const OPEN_TIMEOUT_MS = 120_000;
const POLL_MS = 20;

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
  const { lines, api } = await openLines(castellan.api, simulator, contacts);
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
        send: (perChat) => sendThrough(castellan.url, api.key, lines, perChat, counts),
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

/** One client for each line asks for one message after the other, over all of its chats in turn. */
async function sendThrough(
  url: string,
  key: string,
  lines: readonly PairedLine[],
  perChat: number,
  counts: StoreCounts,
): Promise<void> {
  const client = createLoadClient(url, key, lines.length);
  const before = counts.sent();
  async function sendOver({ connectionId, contacts }: PairedLine): Promise<void> {
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
