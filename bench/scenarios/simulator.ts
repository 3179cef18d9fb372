import { setTimeout as delay } from 'node:timers/promises';
import { type Simulator, startSimulator } from '../../simulator/index.ts';
import { bareBaileysSubject } from '../subjects/bare-baileys.ts';
import { createContacts } from './contacts.ts';
import type { BenchOptions, Figure } from './scenario.ts';

/** Connections that talk; the others stay idle. */
const TALKING = 50;

/**
 * What the simulator itself can carry: the figures are of this process, which runs nothing else; its clients are bare
 * Baileys sockets in a process of their own, on the same machine.
 */
export async function measureSimulator(options: BenchOptions, say: (line: string) => void): Promise<Figure[]> {
  const simulator = await startSimulator({ seed: 'bench', witnessStanzas: 1_000 });
  try {
    say(`${options.connections} sockets log in`);
    return [...(await measureIdle(simulator, options)), ...(await measureTraffic(simulator, options, say))];
  } finally {
    await simulator.close();
  }
}

async function measureIdle(simulator: Simulator, options: BenchOptions): Promise<Figure[]> {
  const { connections, idleSeconds, nodeFlags } = options;
  const clients = await bareBaileysSubject({ simulator, connections, contacts: [], nodeFlags }).start();
  try {
    const cpuBefore = process.cpuUsage();
    await delay(idleSeconds * 1000);
    return [
      { name: 'idle sockets open', unit: 'sockets', value: simulator.witness.sockets.list({ open: true }).length },
      { name: 'resident', unit: 'MiB', value: process.memoryUsage.rss() / 2 ** 20 },
      { name: 'CPU while idle', unit: 's/min', value: (cpuSecondsSince(cpuBefore) / idleSeconds) * 60 },
    ];
  } finally {
    await clients.stop();
  }
}

async function measureTraffic(simulator: Simulator, options: BenchOptions, say: (line: string) => void) {
  const connections = Math.min(TALKING, options.connections);
  const contacts = createContacts(simulator, { ...options, connections, chats: 1 });
  const clients = await bareBaileysSubject({ simulator, connections, contacts, nodeFlags: options.nodeFlags }).start();
  try {
    const count = connections * options.messages;
    say(`${connections} of them exchange ${count} texts each way`);
    await clients.send(1);
    const sent = await timed(count, () => clients.send(options.messages));
    const received = await timed(count, async () => {
      const done = clients.untilReceived(count);
      await Promise.all(
        clients.lines.map(async ({ phone, contacts: [contact] }) => {
          for (let n = 0; n < options.messages; n += 1) await contact?.sendText(phone.pnJid, `message ${n}`);
        }),
      );
      await done;
    });
    return [
      { name: 'clients to contacts', unit: 'messages/s', value: sent.rate },
      { name: 'CPU of the simulator', unit: 'ms/message', value: sent.cpuMs },
      { name: 'contacts to clients', unit: 'messages/s', value: received.rate },
      { name: 'CPU of the simulator', unit: 'ms/message', value: received.cpuMs },
      { name: 'decrypt failures', unit: 'messages', value: simulator.witness.messages.decryptFailures().length },
    ];
  } finally {
    await clients.stop();
  }
}

async function timed(count: number, run: () => Promise<void>): Promise<{ rate: number; cpuMs: number }> {
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  await run();
  return {
    rate: (count / (performance.now() - began)) * 1000,
    cpuMs: (cpuSecondsSince(cpuBefore) / count) * 1000,
  };
}

function cpuSecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
