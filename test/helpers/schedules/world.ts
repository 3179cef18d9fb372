import type { Locks } from '../../../lib/cluster/locks.port.ts';
import type { OwnershipTimings } from '../../../lib/timings.ts';
import { createHarm } from './harm.ts';
import { createHosts } from './hosts.ts';
import { createMemoryStore } from './memory-store.ts';
import type { ServiceState } from './network.ts';
import type { NodeWorld } from './node-host.ts';
import type { Product } from './product.ts';
import { createRandom } from './random.ts';
import { connectionId, nodeName, type Schedule } from './schedule.ts';
import { ask, putConnections } from './sessions.ts';
import { createTimeline } from './timeline.ts';
import { processLog, tracedLocks } from './tracing.ts';
import { endThought } from './virtual-process.ts';
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

const RECOVERY_MS = 150_000;
/** it has to stay well for so long */
const CALM_MS = 15_000;

let busy = false;

/** Runs one schedule against the product; one at a time, because the product's immediates are the world's. */
export async function runSchedule(schedule: Schedule, options: RunOptions): Promise<RunResult> {
  if (busy) throw new Error('A schedule is running already.');
  busy = true;
  const world = createWorld(schedule, options);
  await world.prepare();
  const { setImmediate: real } = globalThis;
  const { memoryUsage } = process;
  const { stackTraceLimit } = Error;
  globalThis.setImmediate = world.setImmediate as typeof setImmediate;
  /* thousands of unanswered calls, whose stacks nobody reads */
  if (!options.trace) Error.stackTraceLimit = 0;
  /* asks the kernel, with each heartbeat: an eighth of the time of a schedule */
  process.memoryUsage = Object.assign(() => memoryUsage(), { rss: () => 0 });
  try {
    return await world.run();
  } finally {
    busy = false;
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
  const newLocks = () =>
    tracedLocks(product.createMemoryLocks({ clock: lockClock }), trace ? (text) => say(text) : null);
  let locks: Locks = newLocks();
  const whatsapp = createVirtualWhatsApp({
    timeline,
    random: random.fork('whatsapp'),
    witness,
    service: services.whatsapp,
    product,
  });
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
    onSeatLost: (process) => hosts.endLater(process),
    nodeAt: (nodeId) => hosts.of(nodeId).running,
    logFor: (process) => processLog(process, say, witness),
  };
  timeline.afterEach = () => endThought(nodeWorld);
  const hosts = createHosts(nodeWorld, schedule.endsAt, say);
  const act = createHarm({
    timeline,
    random,
    hosts,
    services,
    whatsapp,
    endsAt: schedule.endsAt,
    forget() {
      locks = newLocks();
    },
    ask: (id, wish) => void ask(store, id, wish, wallNow()),
    say,
  });

  const wallNow = () => Math.floor(Date.UTC(2026, 0, 1) + timeline.now);

  function heal(): void {
    say('* the harm is over');
    if (hosts.living().length === 0) hosts.start(hosts.of(nodeName(0)), null);
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
        const host = hosts.of(nodeName(index));
        timeline.at(random.between(0, 2_000), () => hosts.start(host, random.chance(0.7) ? host.seat : null));
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

const healthy = (): ServiceState => ({ downs: 0, slowMs: 0 });
