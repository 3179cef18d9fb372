import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnNode } from '../../scripts/harness/child.ts';
import type { Contact } from '../../simulator/devices/contact.ts';
import type { Simulator } from '../../simulator/index.ts';
import { probeSetup } from '../measured-process.ts';
import type { Subject } from './subject.ts';

export interface BareBaileysOptions {
  simulator: Simulator;
  connections: number;
  contacts: readonly (readonly Contact[])[];
  nodeFlags: readonly string[];
}

/** The accounts of one run, as the child reads them. */
export interface BareBaileysInput {
  url: string;
  rootPublicKey: string;
  accounts: { creds: unknown; keys: Record<string, Record<string, unknown>>; chats: string[] }[];
}

/**
 * Unmodified Baileys with its sessions in memory: no store, no API, nothing that outlives the process. Every start has
 * new accounts, paired beforehand: the ratchets of former ones went with their process.
 */
export function bareBaileysSubject({ simulator, connections, contacts, nodeFlags }: BareBaileysOptions): Subject {
  return {
    name: 'bare Baileys',
    async start() {
      const accounts = simulator.devices.prepare(connections);
      const input: BareBaileysInput = {
        url: simulator.url,
        rootPublicKey: simulator.rootPublicKey,
        accounts: accounts.map(({ creds, keys }, n) => ({
          creds,
          keys,
          chats: (contacts[n] ?? []).map(({ pnJid }) => pnJid),
        })),
      };
      const directory = await mkdtemp(join(tmpdir(), 'castellan-bench-bare-'));
      const file = join(directory, 'accounts.json');
      await writeFile(file, JSON.stringify(input));
      const probe = probeSetup();
      const child = spawnNode([...probe.nodeFlags, ...nodeFlags, 'bench/bare-baileys.ts', file], probe.env);
      const url = await child.line((line) => /^open (http:\S+)$/.exec(line)?.[1]);
      await rm(directory, { recursive: true });

      async function order(path: string): Promise<void> {
        const answer = await fetch(url + path, { method: 'POST' });
        if (!answer.ok) throw new Error(`bare Baileys: ${await answer.text()}\n${child.output()}`);
      }

      return {
        process: probe.measure(child.pid),
        lines: accounts.map(({ phone }, n) => ({ phone, contacts: contacts[n] ?? [] })),
        send: (perChat) => order(`/send/${perChat}`),
        untilReceived: (count) => order(`/received/${count}`),
        stop: () => child.end('SIGKILL'),
      };
    },
    close: async () => {},
  };
}
