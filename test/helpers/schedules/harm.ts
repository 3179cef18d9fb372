import { isErrorType } from '../../../lib/errors.ts';
import type { Host, Hosts } from './hosts.ts';
import type { LinkState, ServiceName, ServiceState } from './network.ts';
import { healthyHost, type NodeProcess } from './node-host.ts';
import type { Random } from './random.ts';
import type { Step } from './schedule.ts';
import type { Timeline } from './timeline.ts';
import type { VirtualWhatsApp } from './virtual-whatsapp.ts';

export interface HarmOptions {
  timeline: Timeline;
  random: Random;
  hosts: Hosts;
  services: Readonly<Record<ServiceName, ServiceState>>;
  whatsapp: VirtualWhatsApp;
  /** all harm is undone by then, ms of the world */
  endsAt: number;
  /** The locks lose everything, their generation too. */
  forget(): void;
  /** A person asks for something through the API. */
  ask(connectionId: string, wish: 'stop' | 'start' | 'restart'): void;
  say(text: string): void;
}

/** how long a shutdown may take before it is killed, as Kubernetes does */
const GRACE_MS = 75_000;

/** Does what a schedule says. @returns what does one step of it */
export function createHarm(options: HarmOptions): (step: Step) => void {
  const { timeline, random, hosts, services, whatsapp, endsAt, forget, say } = options;

  /** Undoes harm when its time is over, or when all harm ends. */
  function until(forMs: number, undo: () => void): void {
    timeline.at(Math.min(timeline.now + forMs, endsAt), undo);
  }

  function cut(link: LinkState, way: string, forMs: number): void {
    const requests = way === 'answers' ? 0 : 1;
    const answers = way === 'requests' ? 0 : 1;
    link.requestsCut += requests;
    link.answersCut += answers;
    until(forMs, () => {
      link.requestsCut -= requests;
      link.answersCut -= answers;
    });
  }

  function shutDown(host: Host, running: NodeProcess, restartAfter: number | null): void {
    const exit = () => {
      if (running.process.state === 'dead') return;
      hosts.kill(running);
      hosts.restartLater(host, running, restartAfter, true);
    };
    running.process.deliver(timeline.now, () => void running.manager.drain().then(exit));
    timeline.at(timeline.now + GRACE_MS, exit);
  }

  function down(names: readonly (keyof typeof services)[], forMs: number, forgets: boolean): void {
    for (const name of names) services[name].downs += 1;
    until(forMs, () => {
      for (const name of names) services[name].downs -= 1;
    });
    if (forgets && names.includes('locks')) forget();
  }

  function act(step: Step): void {
    const host = 'node' in step && step.node !== null ? hosts.of(step.node) : null;
    say(`* ${words(step)}`);
    if (host) actOnHost(step, host);
    else actOnAll(step);
  }

  function actOnHost(step: Step, host: Host): void {
    const { running } = host;
    if (step.do === 'addNode' && !running) hosts.start(host, host.seat);
    if (step.do === 'slow') addFor(host.links[step.server], 'slowMs', step.ms, step.forMs);
    if (step.do === 'lossy') addFor(host.links[step.from], 'lossRate', step.rate, step.forMs);
    if (step.do === 'cut') {
      for (const name of step.from === 'stores' ? (['documents', 'locks'] as const) : [step.from]) {
        cut(host.links[name], step.way, step.forMs);
      }
    }
    if (running && running.process.state !== 'dead') actOnProcess(step, host, running);
  }

  function actOnProcess(step: Step, host: Host, running: NodeProcess): void {
    const { process, manager } = running;
    const end = 'forMs' in step ? Math.min(timeline.now + step.forMs, endsAt) : 0;
    if (step.do === 'crash') {
      hosts.kill(running);
      hosts.restartLater(host, running, step.restartAfter, step.seat);
    }
    if (step.do === 'shutDown') shutDown(host, running, step.restartAfter);
    if (step.do === 'twin') twin(host, running);
    if (step.do === 'pause') process.stopUntil(end);
    if (step.do === 'suspend') process.suspendUntil(end);
    if (step.do === 'freeze') process.stopAtLook(step.looks, end - timeline.now);
    if (step.do === 'wallClock') process.setWallClock(step.byMs);
    if (step.do === 'wake') process.deliver(timeline.now, () => void manager.wake(step.connection));
    if (step.do === 'setAside') setAside(running, step.forMs);
  }

  function actOnAll(step: Step): void {
    if (step.do === 'flush') forget();
    if (step.do === 'slow') addFor(services[step.server], 'slowMs', step.ms, step.forMs);
    if (step.do === 'down')
      down(step.server === 'both' ? ['documents', 'locks'] : [step.server], step.forMs, step.forgets);
    if (step.do === 'drop') whatsapp.drop(step.connection, step.code);
    if (step.do === 'ask') options.ask(step.connection, step.wish);
  }

  function twin(host: Host, former: NodeProcess): void {
    host.links = healthyHost();
    host.seat = `seat of the twin of ${former.process.name}`;
    hosts.start(host, random.chance(0.5) ? host.seat : null);
    /* whoever deleted the pod by force gets its way in the end */
    timeline.at(timeline.now + random.between(5_000, 60_000), () => hosts.kill(former));
  }

  /** One call after the other: the second is made when the first was answered. */
  function setAside({ process, manager }: NodeProcess, forMs: number): void {
    const set = (aside: boolean, then: () => void) =>
      process.deliver(timeline.now, () => {
        /* it may be shutting down */
        if (!manager.info().draining || !aside) attempt(() => manager.setAside(aside));
        then();
      });
    set(true, () => until(forMs, () => set(false, () => {})));
  }

  function addFor<K extends string>(state: Record<K, number>, field: K, by: number, forMs: number): void {
    state[field] += by;
    until(forMs, () => {
      state[field] -= by;
    });
  }

  return act;
}

function attempt(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!isErrorType(error, 'SHUTTING_DOWN')) throw error;
  }
}

function words({ at: _at, do: what, ...rest }: Step): string {
  return `${what} ${Object.entries(rest)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}`;
}
