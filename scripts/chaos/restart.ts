import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, Message } from '../../lib/contracts/entities.ts';
import { type Simulator, startSimulator } from '../../simulator/index.ts';
import { type CastellanProcess, startCastellanProcess } from '../harness/castellan-process.ts';
import { percentile } from './percentile.ts';
import { seededRandom } from './random.ts';
import { type Line, startTraffic, type Traffic } from './traffic.ts';

export interface RestartOptions {
  rounds: number;
  connections: number;
  /** draws the moments of the kills */
  seed: string;
  log(text: string): void;
}

/** What the witness, the contacts and the API say afterwards. */
export interface RestartReport {
  seed: string;
  rounds: number;
  connections: number;
  accepted: number;
  /** accepted sends that no contact could read */
  lostSends: number;
  /** texts that a contact's phone showed more than once (under different ids) */
  shownTwice: number;
  /** ids that reached the server more than once: repeats after a crash, the same message to a client */
  resentIds: number;
  /** neighbours that a contact read in another order than they were accepted in */
  inversions: number;
  decryptFailures: number;
  /** device registrations beyond the first of each connection: each would be a new QR code */
  newRegistrations: number;
  overlappingSockets: number;
  replied: number;
  lostInbound: number;
  doubledInbound: number;
  repeatedRequests: number;
  /** from the start of the new process until every connection is open, ms */
  reopenMs: { p50: number; p99: number };
}

const PAUSE_MS = 80;
const KILL_AFTER_MS = { from: 100, to: 1_500 };
const REOPEN_TIMEOUT_MS = 60_000;
/** as long as something still moves it is not over: a backlog may take its time */
const STALL_TIMEOUT_MS = 60_000;

/** `kill -9` of the whole process at random moments under traffic both ways, again and again. */
export async function runRestartScenario(options: RestartOptions): Promise<RestartReport> {
  const dataDir = await mkdtemp(join(tmpdir(), 'castellan-restart-'));
  const simulator = await startSimulator({ seed: options.seed });
  const castellan = await startCastellanProcess({
    dataDir,
    whatsapp: simulator,
    env: { RATE_LIMIT_PER_SECOND: '0' },
  });
  try {
    const lines = await pairLines(castellan, simulator, options.connections);
    const traffic = startTraffic(castellan.api, lines, PAUSE_MS);
    const reopenMs = await killAgainAndAgain(castellan, lines, options);
    await traffic.stop();
    await settle(castellan, lines, traffic);
    return await report(castellan, simulator, lines, traffic, { ...options, reopenMs });
  } finally {
    await castellan.kill();
    await simulator.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function pairLines({ api }: CastellanProcess, simulator: Simulator, count: number): Promise<Line[]> {
  await api.ask('POST', '/user/create', { username: 'chaos', email: 'chaos@example.org', userId: 'chaos' });
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const phone = simulator.devices.createPhone({ pn: `1555100${1000 + n}` });
      const contact = simulator.devices.createContact({ pn: `1555200${1000 + n}` });
      const { connectionId } = await api.ask<Connection>('POST', '/connection/create', { userId: 'chaos' });
      await phone.scanQr(await api.untilQr(connectionId));
      await api.untilStatus(connectionId, 'open');
      return { connectionId, phone, contact };
    }),
  );
}

async function killAgainAndAgain(castellan: CastellanProcess, lines: readonly Line[], options: RestartOptions) {
  const random = seededRandom(options.seed);
  const reopenMs: number[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    await delay(random.between(KILL_AFTER_MS.from, KILL_AFTER_MS.to));
    await castellan.kill();
    const began = performance.now();
    await castellan.start();
    await Promise.all(
      lines.map(({ connectionId }) => castellan.api.untilStatus(connectionId, 'open', REOPEN_TIMEOUT_MS)),
    );
    reopenMs.push(performance.now() - began);
    options.log(`round ${round}: killed, all open again after ${Math.round(reopenMs.at(-1) ?? 0)} ms`);
  }
  return reopenMs;
}

/** Waits until all that was accepted is sent and all that was replied is stored, or nothing moves any more: the report counts. */
async function settle({ api }: CastellanProcess, lines: readonly Line[], traffic: Traffic): Promise<void> {
  const wanted = `0,0 ${traffic.replied.length}`;
  let before = '';
  let movedAt = performance.now();
  while (performance.now() - movedAt < STALL_TIMEOUT_MS) {
    const jobs = await Promise.all(
      ['pending', 'processing'].map((status) => api.ask<{ items: unknown[] }>('GET', `/job/list?status=${status}`)),
    );
    const inbound = await Promise.all(lines.map(({ connectionId }) => api.messages(connectionId, 'inbound')));
    const now = `${jobs.map(({ items }) => items.length)} ${inbound.flat().length}`;
    if (now === wanted) return;
    if (now !== before) movedAt = performance.now();
    before = now;
    await delay(500);
  }
}

async function report(
  { api }: CastellanProcess,
  simulator: Simulator,
  lines: readonly Line[],
  traffic: Traffic,
  run: RestartOptions & { reopenMs: readonly number[] },
): Promise<RestartReport> {
  const { sockets, messages } = simulator.witness;
  const shown = lines.flatMap(({ contact }) => contact.inbox.all.map(({ text }) => text ?? ''));
  const inbound = (await Promise.all(lines.map(({ connectionId }) => api.messages(connectionId, 'inbound')))).flat();
  const stored = inbound.map(textOf);
  const has = new Set([...shown, ...stored]);
  return {
    seed: run.seed,
    rounds: run.rounds,
    connections: run.connections,
    accepted: traffic.accepted.size,
    lostSends: [...traffic.accepted.keys()].filter((text) => !has.has(text)).length,
    shownTwice: shown.length - new Set(shown).size,
    resentIds: messages.repeated().length,
    inversions: lines.reduce((sum, line) => sum + inversionsOf(line), 0),
    decryptFailures: messages.decryptFailures().length,
    newRegistrations: linkedDevices(simulator) - run.connections,
    overlappingSockets: sockets.overlaps().length,
    replied: traffic.replied.length,
    lostInbound: traffic.replied.filter((text) => !has.has(text)).length,
    doubledInbound: stored.length - new Set(stored).size,
    repeatedRequests: traffic.repeatedRequests,
    reopenMs: { p50: percentile(run.reopenMs, 0.5), p99: percentile(run.reopenMs, 0.99) },
  };
}

/** every pairing makes a new device of its account */
function linkedDevices({ witness }: Simulator): number {
  const logins = witness.sockets.list().flatMap(({ device }) => (device ? [`${device.pn}:${device.device}`] : []));
  return new Set(logins).size;
}

const textOf = ({ content }: Message) => (content.type === 'text' ? content.text : '');

function inversionsOf({ contact }: Line): number {
  const numbers = contact.inbox.all.map(({ text }) => Number(text?.split(' ').at(-1)));
  return numbers.filter((number, index) => index > 0 && number < (numbers[index - 1] ?? 0)).length;
}
