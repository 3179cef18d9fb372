import type { Locks } from '../../../lib/cluster/locks.port.ts';
import { isErrorType } from '../../../lib/errors.ts';
import type { Log } from '../../../lib/log.ts';
import type { OwnershipTimings } from '../../../lib/timings.ts';
import { createMemoryStore } from './memory-store.ts';
import type { LinkState, ServiceState } from './network.ts';
import { type HostLinks, healthyHost, type NodeProcess, type NodeWorld, startNode } from './node-host.ts';
import type { Product } from './product.ts';
import { createRandom } from './random.ts';
import { connectionId, nodeName, type Schedule, type Step } from './schedule.ts';
import { ask, putConnections } from './sessions.ts';
import { createTimeline } from './timeline.ts';
import { endThought, type VirtualProcess } from './virtual-process.ts';
import { createVirtualWhatsApp } from './virtual-whatsapp.ts';
import { createWitness, type Witness } from './witness.ts';

export interface RunOptions {
  product: Product;
  timings?: Partial<OwnershipTimings>;
  /** gets every line of what happened */
  trace?(line: string): void;
}

export interface RunResult {
  seed: string;
  violations: readonly string[];
  counts: Witness['counts'];
  /** ms of the world until everything ran again after the harm; null = it never did */
  recoveredAfter: number | null;
  steps: number;
}

interface Host {
  name: string;
  links: HostLinks;
  seat: string;
  running: NodeProcess | null;
}

const RECOVERY_MS = 150_000;
/** it has to stay well for so long */
const CALM_MS = 15_000;

/** Runs one schedule against the product. */
export async function runSchedule(schedule: Schedule, options: RunOptions): Promise<RunResult> {
  const world = createWorld(schedule, options);
  await world.prepare();
  const { setImmediate: real } = globalThis;
  const { memoryUsage } = process;
  const { stackTraceLimit } = Error;
  globalThis.setImmediate = world.setImmediate as typeof setImmediate;
  /* asks the kernel, with each heartbeat: an eighth of the time of a schedule */
  /* thousands of unanswered calls, whose stacks nobody reads */
  if (!options.trace) Error.stackTraceLimit = 0;
  process.memoryUsage = Object.assign(() => memoryUsage(), { rss: () => 0 });
  try {
    return await world.run();
  } finally {
    globalThis.setImmediate = real;
    process.memoryUsage = memoryUsage;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function createWorld(schedule: Schedule, { product, timings = {}, trace }: RunOptions) {
  const random = createRandom(`world ${schedule.seed}`);
  const timeline = createTimeline();
  const witness = createWitness(timeline);
  const store = createMemoryStore();
  store.onChange = (change) => witness.stored(change);
  const ids = Array.from({ length: schedule.connections }, (_, index) => connectionId(index));
  const services = { documents: healthy(), locks: healthy(), whatsapp: healthy() };
  const lockClock = { now: () => timeline.now, monotonic: () => timeline.now, after: () => () => {} };
  const newLocks = () => traced(product.createMemoryLocks({ clock: lockClock }), trace ? (text) => say(text) : null);
  let locks: Locks = newLocks();
  const whatsapp = createVirtualWhatsApp({
    timeline,
    random: random.fork('whatsapp'),
    witness,
    service: services.whatsapp,
    product,
  });
  const hosts = new Map<string, Host>();
  let incarnations = 0;

  const say = (text: string) => trace?.(`${(timeline.now / 1_000).toFixed(3).padStart(8)} ${text}`);

  const nodeWorld: NodeWorld = {
    timeline,
    random,
    current: null,
    product,
    store,
    locks: () => locks,
    services,
    whatsapp,
    timings,
    onSeatLost: (process) => endLater(process),
    nodeAt: (nodeId) => hosts.get(nodeId)?.running ?? null,
    logFor: (process) => logOf(process, say, witness),
  };
  timeline.afterEach = () => endThought(nodeWorld);

  function hostOf(name: string): Host {
    const host = hosts.get(name) ?? { name, links: healthyHost(), seat: `seat of ${name}`, running: null };
    hosts.set(name, host);
    return host;
  }

  function start(host: Host, seat: string | null): void {
    incarnations += 1;
    host.running = startNode(nodeWorld, { nodeId: host.name, incarnation: String(incarnations), seat }, host.links);
    say(`${host.running.process.name} starts${seat ? '' : ' without a seat'}`);
  }

  function kill({ process }: NodeProcess): void {
    process.kill();
    whatsapp.processDied(process);
    say(`${process.name} is gone`);
  }

  /** A process that can do nothing any more ends, and whoever supervises it starts it again. */
  function endLater(process: VirtualProcess): void {
    timeline.at(timeline.now + random.between(100, 3_000), () => {
      const host = [...hosts.values()].find(({ running }) => running?.process === process);
      if (!host?.running || process.state === 'dead') return;
      kill(host.running);
      restartLater(host, host.running, 1_000, true);
    });
  }

  function restartLater(host: Host, dead: NodeProcess, afterMs: number | null, seat: boolean): void {
    /* once the harm is over nobody is left out of service */
    const pauseMs = afterMs ?? (timeline.now >= schedule.endsAt ? 1_000 : null);
    if (pauseMs === null) return;
    timeline.at(timeline.now + pauseMs, () => {
      if (host.running !== dead) return;
      if (!seat) host.seat = `seat of ${host.name} after ${dead.process.name}`;
      start(host, seat || random.chance(0.5) ? host.seat : null);
    });
  }

  /** Undoes harm when its time is over, or when all harm ends. */
  function until(forMs: number, undo: () => void): void {
    timeline.at(Math.min(timeline.now + forMs, schedule.endsAt), undo);
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
      kill(running);
      restartLater(host, running, restartAfter, true);
    };
    running.process.deliver(timeline.now, () => void running.manager.drain().then(exit));
    timeline.at(timeline.now + GRACE_MS, exit);
  }

  function down(names: readonly (keyof typeof services)[], forMs: number, forgets: boolean): void {
    for (const name of names) services[name].downs += 1;
    until(forMs, () => {
      for (const name of names) services[name].downs -= 1;
    });
    if (forgets && names.includes('locks')) locks = newLocks();
  }

  function act(step: Step): void {
    const host = 'node' in step && step.node !== null ? hostOf(step.node) : null;
    say(`* ${words(step)}`);
    if (host) actOnHost(step, host);
    else actOnAll(step);
  }

  function actOnHost(step: Step, host: Host): void {
    const { running } = host;
    if (step.do === 'addNode' && !running) start(host, host.seat);
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
    const end = 'forMs' in step ? Math.min(timeline.now + step.forMs, schedule.endsAt) : 0;
    if (step.do === 'crash') {
      kill(running);
      restartLater(host, running, step.restartAfter, step.seat);
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
    if (step.do === 'flush') locks = newLocks();
    if (step.do === 'slow') addFor(services[step.server], 'slowMs', step.ms, step.forMs);
    if (step.do === 'down')
      down(step.server === 'both' ? ['documents', 'locks'] : [step.server], step.forMs, step.forgets);
    if (step.do === 'drop') whatsapp.drop(step.connection, step.code);
    if (step.do === 'ask') void ask(store, step.connection, step.wish, wallNow());
  }

  function twin(host: Host, former: NodeProcess): void {
    host.links = healthyHost();
    host.seat = `seat of the twin of ${former.process.name}`;
    start(host, random.chance(0.5) ? host.seat : null);
    /* whoever deleted the pod by force gets its way in the end */
    timeline.at(timeline.now + random.between(5_000, 60_000), () => kill(former));
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

  const wallNow = () => Math.floor(Date.UTC(2026, 0, 1) + timeline.now);
  const living = () => [...hosts.values()].filter(({ running }) => running && running.process.state !== 'dead');

  function heal(): void {
    say('* the harm is over');
    if (living().length === 0) start(hostOf(nodeName(0)), null);
    for (const id of ids) void ask(store, id, 'start', wallNow());
  }

  /** @returns what does not run as it should */
  function trouble(): string[] {
    return ids.flatMap((id) => {
      const holders = whatsapp.holders(id).filter(({ process }) => process.state !== 'dead');
      return holders.length === 1
        ? []
        : [`${id} is open on ${holders.map(({ process }) => process.name).join(' and ') || 'no node'}`];
    });
  }

  async function recovery(): Promise<number | null> {
    let wellSince: number | null = null;
    while (timeline.now < schedule.endsAt + RECOVERY_MS) {
      await timeline.run(timeline.now + 1_000);
      if (trouble().length > 0) wellSince = null;
      else wellSince ??= timeline.now;
      if (wellSince !== null && timeline.now - wellSince >= CALM_MS) return wellSince - schedule.endsAt;
    }
    for (const text of trouble()) witness.violation(`at the end ${text}`);
    return null;
  }

  return {
    setImmediate(fn: () => void) {
      if (nodeWorld.current) nodeWorld.current.deliver(timeline.now, fn);
      else timeline.at(timeline.now, fn);
    },
    prepare: () => putConnections(store, product, ids, wallNow()),
    async run(): Promise<RunResult> {
      for (let index = 0; index < schedule.nodes; index += 1) {
        const host = hostOf(nodeName(index));
        timeline.at(random.between(0, 2_000), () => start(host, random.chance(0.7) ? host.seat : null));
      }
      for (const step of schedule.steps) timeline.at(step.at, () => act(step));
      timeline.at(schedule.endsAt, heal);
      await timeline.run(schedule.endsAt);
      const recoveredAfter = await recovery();
      const { violations, counts } = witness;
      return { seed: schedule.seed, violations, counts, recoveredAfter, steps: timeline.steps };
    },
  };
}

/** The locks, with every command that reaches them told. */
function traced(locks: Locks, say: ((text: string) => void) | null): Locks {
  if (!say) return locks;
  const told = <K extends 'claim' | 'claimInGeneration' | 'release' | 'renew'>(name: K) =>
    [
      name,
      async (...args: unknown[]) => {
        const answer = await (locks[name] as (...given: unknown[]) => Promise<unknown>)(...args);
        if (name !== 'renew' || JSON.stringify(answer).match(/lost|missing/)) {
          say(`    locks: ${name} ${JSON.stringify(args)} -> ${JSON.stringify(answer)}`);
        }
        return answer;
      },
    ] as const;
  return {
    ...locks,
    ...Object.fromEntries([told('claim'), told('claimInGeneration'), told('release'), told('renew')]),
  };
}

function attempt(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!isErrorType(error, 'SHUTTING_DOWN')) throw error;
  }
}

const GRACE_MS = 75_000;
const healthy = (): ServiceState => ({ downs: 0, slowMs: 0 });

function words({ at: _at, do: what, ...rest }: Step): string {
  return `${what} ${Object.entries(rest)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}`;
}

function logOf(process: VirtualProcess, say: (text: string) => void, witness: Witness): Log {
  const write = (level: string, fields: object, message: string): void => {
    if (message === 'the actor failed') witness.violation(`${process.name} ${message}: ${JSON.stringify(fields)}`);
    say(`  ${process.name} ${level} ${message} ${JSON.stringify(fields)}`);
  };
  const make = (bound: object): Log => ({
    debug() {},
    info: (fields, message) => write('info', { ...bound, ...fields }, message),
    warn: (fields, message) => write('warn', { ...bound, ...fields }, message),
    error: (fields, message) => write('error', { ...bound, ...fields }, message),
    child: (fields) => make({ ...bound, ...fields }),
  });
  return make({});
}
