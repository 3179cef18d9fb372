import { type HostLinks, healthyHost, type NodeProcess, type NodeWorld, startNode } from './node-host.ts';
import type { VirtualProcess } from './virtual-process.ts';

/** A machine, or a place in a stateful set: one process after the other runs on it under its name. */
export interface Host {
  name: string;
  links: HostLinks;
  seat: string;
  running: NodeProcess | null;
}

export interface Hosts {
  of(name: string): Host;
  start(host: Host, seat: string | null): void;
  kill(running: NodeProcess): void;
  /** @param seat whether it comes back under the same exclusive seat; null for `afterMs` = it stays away */
  restartLater(host: Host, dead: NodeProcess, afterMs: number | null, seat: boolean): void;
  /** A process that can do nothing any more ends, and whoever supervises it starts it again. */
  endLater(process: VirtualProcess): void;
  living(): Host[];
}

/** @param endsAt from then on nobody is left out of service */
export function createHosts(world: NodeWorld, endsAt: number, say: (text: string) => void): Hosts {
  const { timeline, random, whatsapp } = world;
  const hosts = new Map<string, Host>();
  let incarnations = 0;

  function of(name: string): Host {
    const host = hosts.get(name) ?? { name, links: healthyHost(), seat: `seat of ${name}`, running: null };
    hosts.set(name, host);
    return host;
  }

  function start(host: Host, seat: string | null): void {
    incarnations += 1;
    host.running = startNode(world, { nodeId: host.name, incarnation: String(incarnations), seat }, host.links);
    say(`${host.running.process.name} starts${seat ? '' : ' without a seat'}`);
  }

  function kill({ process }: NodeProcess): void {
    process.kill();
    whatsapp.processDied(process);
    say(`${process.name} is gone`);
  }

  function endLater(process: VirtualProcess): void {
    timeline.at(timeline.now + random.between(100, 3_000), () => {
      const host = [...hosts.values()].find(({ running }) => running?.process === process);
      if (!host?.running || process.state === 'dead') return;
      kill(host.running);
      restartLater(host, host.running, 1_000, true);
    });
  }

  function restartLater(host: Host, dead: NodeProcess, afterMs: number | null, seat: boolean): void {
    const pauseMs = afterMs ?? (timeline.now >= endsAt ? 1_000 : null);
    if (pauseMs === null) return;
    timeline.at(timeline.now + pauseMs, () => {
      if (host.running !== dead) return;
      if (!seat) host.seat = `seat of ${host.name} after ${dead.process.name}`;
      start(host, seat || random.chance(0.5) ? host.seat : null);
    });
  }

  const living = () => [...hosts.values()].filter(({ running }) => running && running.process.state !== 'dead');

  return { of, start, kill, restartLater, endLater, living };
}
