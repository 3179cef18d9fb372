import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StatementSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { loadConfig } from '../../lib/config.ts';
import type { Collection, Doc, Store, Write } from '../../lib/storage/port.ts';
import { createApiClient } from '../../scripts/harness/api-client.ts';
import { type Simulator, startSimulator } from '../../simulator/index.ts';
import { type Castellan, startCastellan } from '../../start.ts';
import { openLines, type PairedLine } from '../subjects/pairing.ts';
import { createContacts } from './contacts.ts';
import type { BenchOptions } from './scenario.ts';

/** Background work of the last message is done by then. */
const AFTERMATH_MS = 2_500;

/** How often the store was called, by operation. */
export interface RoundTrips {
  messages: number;
  calls: Map<string, number>;
  commits: number;
}

interface Counting {
  wrap(store: Store): Store;
  /** Counts from here on. */
  begin(): void;
  end(messages: number): RoundTrips;
}

/**
 * Counts the calls of the store's port, the unit that a store over a network charges for, and SQLite's commits. In one
 * process with the simulator: what is counted does not depend on how fast it runs, except that less load joins less.
 */
export async function countRoundTrips(
  options: BenchOptions,
  say: (line: string) => void,
): Promise<{ sent: RoundTrips; received: RoundTrips }> {
  const counting = createCounting();
  const simulator = await startSimulator({ seed: 'bench', witnessStanzas: 1_000 });
  const dataDir = await mkdtemp(join(tmpdir(), 'castellan-bench-'));
  const castellan = await startInProcess(simulator, dataDir, counting);
  try {
    say(`pairing ${options.connections} connections`);
    const { lines, api } = await openLines(
      createApiClient(castellan.url ?? '', castellan.adminKey),
      simulator,
      createContacts(simulator, options),
    );
    const contacts = lines.flatMap((line) => line.contacts);
    const count = contacts.length * options.messages;
    const inboxes = () => contacts.reduce((sum, { inbox }) => sum + inbox.all.length, 0);
    async function counted(transfer: () => Promise<unknown>): Promise<RoundTrips> {
      counting.begin();
      await transfer();
      await delay(AFTERMATH_MS);
      return counting.end(count);
    }
    async function send(perChat: number): Promise<void> {
      const wanted = inboxes() + perChat * contacts.length;
      await Promise.all(lines.map((line) => sendOver(api, line, perChat)));
      while (inboxes() < wanted) await delay(10);
    }
    await send(1);
    await delay(AFTERMATH_MS);
    const sent = await counted(() => send(options.messages));
    const received = await counted(() => Promise.all(lines.map((line) => reply(line, options.messages))));
    return { sent, received };
  } finally {
    await castellan.stop();
    await simulator.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** A Markdown table of calls per message. */
export function roundTripsTable({ sent, received }: { sent: RoundTrips; received: RoundTrips }): string {
  const per = (trips: RoundTrips, n: number) => (n / trips.messages).toFixed(2);
  const total = ({ calls }: RoundTrips) => [...calls.values()].reduce((sum, n) => sum + n, 0);
  const row = (name: string, of: (trips: RoundTrips) => number) =>
    `| ${name} | ${per(sent, of(sent))} | ${per(received, of(received))} |`;
  const names = [...new Set([...sent.calls.keys(), ...received.calls.keys()])].filter((name) =>
    [sent, received].some(({ calls, messages }) => (calls.get(name) ?? 0) / messages >= 0.05),
  );
  return [
    '| for each message | sent | received |',
    '|---|---:|---:|',
    row('commits', ({ commits }) => commits),
    row('store calls', total),
    ...names.map((name) => row(`of them ${name}`, ({ calls }) => calls.get(name) ?? 0)),
  ].join('\n');
}

function startInProcess({ url, rootPublicKey }: Simulator, dataDir: string, { wrap }: Counting): Promise<Castellan> {
  const whatsapp = { WA_WEBSOCKET_URL: url, WA_ROOT_PUBLIC_KEY: rootPublicKey };
  const env = { PORT: '0', DATA_DIR: dataDir, LOG_LEVEL: 'warn', RATE_LIMIT_PER_SECOND: '0', ...whatsapp };
  return startCastellan(loadConfig(env), { wrapStore: wrap });
}

async function sendOver(
  api: ReturnType<typeof createApiClient>,
  { connectionId, contacts }: PairedLine,
  perChat: number,
): Promise<void> {
  for (let n = 0; n < perChat; n += 1) {
    for (const { pn } of contacts) {
      await api.ask('POST', '/message/send', { connectionId, to: pn, content: `message ${n}` });
    }
  }
}

async function reply({ phone, contacts }: PairedLine, perChat: number): Promise<void> {
  for (let n = 0; n < perChat; n += 1) {
    await Promise.all(contacts.map((contact) => contact.sendText(phone.pnJid, `reply ${n}`)));
  }
}

function createCounting(): Counting {
  let calls = new Map<string, number>();
  let commits = 0;
  const count = (name: string) => void calls.set(name, (calls.get(name) ?? 0) + 1);
  const run = StatementSync.prototype.run;
  StatementSync.prototype.run = function (this: StatementSync, ...params: Parameters<typeof run>) {
    if (this.sourceSQL === 'COMMIT') commits += 1;
    return run.apply(this, params);
  } as typeof run;

  function counted<T extends Doc>(name: string, inner: Collection<T>): Collection<T> {
    return new Proxy(inner, {
      get(target, method: keyof Collection<T> & string) {
        const call = target[method] as (...args: unknown[]) => unknown;
        return (...args: unknown[]) => {
          count(`${method} ${name}`);
          return call(...args);
        };
      },
    });
  }

  return {
    wrap: (store) => ({
      ...store,
      collection: <T extends Doc>(name: string) => counted(name, store.collection<T>(name)),
      atomically: (writes) => {
        count(`atomically ${describe(writes)}`);
        return store.atomically(writes);
      },
    }),
    begin() {
      calls = new Map();
      commits = 0;
    },
    end: (messages) => ({ messages, calls, commits }),
  };
}

const describe = (writes: readonly Write[]): string =>
  [...new Set(writes.map(({ op, collection }) => `${op} ${collection}`))].join(' + ');
