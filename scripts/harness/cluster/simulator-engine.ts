import { type Child, spawnNode } from '../child.ts';
import type { Engine } from './member.ts';

/** Where a simulated WhatsApp is. */
export interface SimulatorAddress {
  url: string;
  controlUrl: string;
  /** hex */
  rootPublicKey: string;
}

/** A local WhatsApp in a process of its own. Started anew it has the same addresses and root key, and forgot everybody. */
export function simulatorEngine(): Engine & { address(): SimulatorAddress } {
  let child: Child | null = null;
  let known: (SimulatorAddress & { mediaHost: string; seed: string }) | null = null;

  function flags(): string[] {
    if (!known) return ['--port', '0', '--control-port', '0', '--media-port', '0'];
    const portOf = (url: string) => new URL(url).port;
    const media = portOf(`http://${known.mediaHost}`);
    const ports = ['--port', portOf(known.url), '--control-port', portOf(known.controlUrl), '--media-port', media];
    return [...ports, '--seed', known.seed];
  }

  return {
    pid: () => (child?.running ? child.pid : null),
    async start() {
      child = spawnNode(['simulator/cli.ts', '--json', ...flags()]);
      known = await child.line((line) => (line.startsWith('{') ? JSON.parse(line) : undefined));
    },
    signal: (signal) => child?.signal(signal),
    end: async (signal) => child?.end(signal),
    output: () => child?.output() ?? '',
    address() {
      if (!known) throw new Error('the simulator was not started');
      const { url, controlUrl, rootPublicKey } = known;
      return { url, controlUrl, rootPublicKey };
    },
  };
}
