import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Connection, Message } from '../../lib/contracts/entities.ts';
import { type ApiClient, createApiClient } from '../../scripts/harness/api-client.ts';
import type { Contact } from '../../simulator/devices/contact.ts';
import type { Phone } from '../../simulator/devices/phone.ts';
import { type Simulator, startSimulator } from '../../simulator/index.ts';
import { startTestCastellan, type TestCastellan } from '../helpers/castellan.ts';
import { eventually } from '../helpers/eventually.ts';
import { slowStore } from '../helpers/slow-store.ts';

const CONNECTIONS = 10;
const STORE_LATENCY_MS = 5;

interface Line {
  connectionId: string;
  phone: Phone;
  contact: Contact;
}

const texts = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix} ${n}`);
const textOf = ({ content }: Message) => (content.type === 'text' ? content.text : content.type);

async function openLine(api: ApiClient, simulator: Simulator, n: number): Promise<Line> {
  const phone = simulator.devices.createPhone({ pn: `1555100${1000 + n}` });
  const contact = simulator.devices.createContact({ pn: `1555200${1000 + n}`, devices: 2 });
  contact.receiptMode = 'read';
  const body = { userId: 'volume', name: `line ${n}` };
  const { connectionId } = await api.ask<Connection>('POST', '/connection/create', body);
  await phone.scanQr(await api.untilQr(connectionId));
  await api.untilStatus(connectionId, 'open');
  return { connectionId, phone, contact };
}

async function sendAll(api: ApiClient, line: Line, all: readonly string[]): Promise<void> {
  for (const content of all) {
    await api.ask('POST', '/message/send', { connectionId: line.connectionId, to: line.contact.pn, content });
  }
}

async function replyAll(line: Line, all: readonly string[]): Promise<void> {
  for (const text of all) await line.contact.sendText(line.phone.pnJid, text);
}

describe.each([
  { store: 'the embedded store', perLine: 100, latencyMs: 0 },
  { store: `a store that answers ${STORE_LATENCY_MS} ms later`, perLine: 30, latencyMs: STORE_LATENCY_MS },
])('$perLine texts each way at once over each of 10 connections, on $store', ({ perLine, latencyMs }) => {
  let simulator: Simulator;
  let castellan: TestCastellan;
  let api: ApiClient;
  let lines: Line[];

  beforeAll(async () => {
    simulator = await startSimulator({ seed: 'volume' });
    castellan = await startTestCastellan(
      {
        rateLimitPerSecond: 0,
        whatsapp: {
          websocketUrl: simulator.url,
          rootPublicKey: Buffer.from(simulator.rootPublicKey, 'hex'),
          mediaHosts: [],
        },
      },
      latencyMs > 0 ? { wrapStore: (store) => slowStore(store, latencyMs) } : {},
    );
    api = createApiClient(castellan.url, castellan.adminKey ?? '');
    await api.ask('POST', '/user/create', { username: 'volume', email: 'volume@example.org', userId: 'volume' });
    lines = [];
    /* one by one: both ends of a pairing make hundreds of keys in this one process, and a process that is busy for longer
       than a lease holds gives its sessions up, as it must */
    for (let n = 0; n < CONNECTIONS; n += 1) lines.push(await openLine(api, simulator, n));
    await Promise.all(
      lines.flatMap((line) => [sendAll(api, line, texts('out', perLine)), replyAll(line, texts('in', perLine))]),
    );
  }, 120_000);

  afterAll(async () => {
    await castellan?.end();
    await simulator?.close();
  });

  it('lets every contact decrypt every text exactly once and in order', async () => {
    for (const { contact } of lines) {
      await eventually(() => expect(contact.inbox.all.filter(({ device }) => device === 0)).toHaveLength(perLine), {
        timeoutMs: 60_000,
      });
      for (const device of [0, 1]) {
        const read = contact.inbox.all.filter((entry) => entry.device === device && !entry.fromMe);
        expect(read.map(({ text }) => text)).toEqual(texts('out', perLine));
        expect(read.every(({ count }) => count === 1)).toBe(true);
      }
    }
  });

  it('stores every inbound text exactly once and in order', async () => {
    for (const { connectionId } of lines) {
      const inbound = await eventually(
        async () => {
          const found = await api.messages(connectionId, 'inbound');
          expect(found).toHaveLength(perLine);
          return found;
        },
        { timeoutMs: 60_000 },
      );
      const events = await api.all<{ data: { message: Message } }>(
        `/event/list?connectionId=${connectionId}&types=message.received`,
      );
      expect(events.map(({ data }) => textOf(data.message))).toEqual(texts('in', perLine));
      expect(new Set(inbound.map(textOf))).toEqual(new Set(texts('in', perLine)));
    }
  });

  it('brings every outbound message to its last status', async () => {
    for (const { connectionId } of lines) {
      await eventually(
        async () => {
          const outbound = await api.messages(connectionId, 'outbound');
          expect(outbound.map(({ status }) => status)).toEqual(outbound.map(() => 'read'));
          expect(outbound).toHaveLength(perLine);
        },
        { timeoutMs: 60_000, intervalMs: 200 },
      );
    }
  });

  it('shows the witness no decrypt failure, no repeated id and no inversion', () => {
    const { messages } = simulator.witness;
    expect(messages.decryptFailures()).toEqual([]);
    expect(messages.repeated()).toEqual([]);
    expect(messages.inversions()).toEqual([]);
  });
});
