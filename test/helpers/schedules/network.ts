import type { Locks } from '../../../lib/cluster/locks.port.ts';
import { CastellanError } from '../../../lib/errors.ts';
import type { Collection, Doc, Store } from '../../../lib/storage/port.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { VirtualProcess } from './virtual-process.ts';

export type ServiceName = 'documents' | 'locks' | 'whatsapp';

/** How a server is at the moment, for everybody. */
export interface ServiceState {
  /** how many things keep it down */
  downs: number;
  /** added to every request, ms */
  slowMs: number;
}

/** The way between one process and one server. */
export interface LinkState {
  /** how many things cut the way there, and the way back */
  requestsCut: number;
  answersCut: number;
  /** added to every request of this process, ms */
  slowMs: number;
  /** chance that a request gets lost, and that an answer does */
  lossRate: number;
}

export interface LinkOptions {
  timeline: Timeline;
  random: Random;
  process: VirtualProcess;
  service: ServiceState;
  state: LinkState;
  /** after which the client gives up a request, ms */
  patienceMs(random: Random): number;
  /** one connection: what was sent first arrives first */
  inOrder: boolean;
}

/** One process' way to one server, with everything that can happen on it. */
export interface Link {
  /** Asks the server. @throws STORE_UNAVAILABLE when no answer came in time, whether or not it took effect */
  ask<R>(execute: () => Promise<R>): Promise<R>;
}

export const healthyLink = (): LinkState => ({ requestsCut: 0, answersCut: 0, slowMs: 0, lossRate: 0 });

/* Most requests arrive in the turn that sent them: half of the events, and the interesting orders come from the rest. */
const SWIFT = 0.7;
/** what waits in a kernel's buffer may arrive when the way is free again, long after its sender gave it up */
const LATE = 0.4;
const LATEST_MS = 40_000;

export function createLink(options: LinkOptions): Link {
  const { timeline, random, process, service, state, patienceMs } = options;
  let lastArrival = 0;

  function arrivesAt(): number {
    const slow = state.slowMs + service.slowMs;
    const way = random.chance(SWIFT) && slow === 0 ? 0 : random.between(0.1, 5) + random.between(0.5, 1.5) * slow;
    const at = process.leavesAt + way;
    if (!options.inOrder) return at;
    lastArrival = Math.max(lastArrival, at);
    return lastArrival;
  }

  function ask<R>(execute: () => Promise<R>): Promise<R> {
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    const sentAt = process.leavesAt;
    const givenUpAt = sentAt + patienceMs(random);
    let cancelTimeout: (() => void) | null = null;

    /* a timer only where it is needed: most answers come */
    function noAnswer(): void {
      cancelTimeout ??= process.deliver(givenUpAt, () => {
        reject(new CastellanError('STORE_UNAVAILABLE', 'There was no answer in time.'));
      });
    }

    function arrive(late: boolean): void {
      if (service.downs > 0 || state.requestsCut > 0 || random.chance(state.lossRate / 2)) {
        noAnswer();
        if (state.requestsCut > 0 && !late && random.chance(LATE)) {
          timeline.at(timeline.now + random.between(0, LATEST_MS), () => arrive(true));
        }
        return;
      }
      execute().then(
        (value) => answer(late, () => resolve(value)),
        (error: unknown) => answer(late, () => reject(error)),
      );
    }

    function answer(late: boolean, settle: () => void): void {
      const slow = random.chance(0.5) ? 0 : state.slowMs + service.slowMs;
      const at = timeline.now + random.between(0.1, 3) + slow;
      const lost = service.downs > 0 || state.answersCut > 0 || random.chance(state.lossRate / 2);
      if (late || lost || at > givenUpAt) {
        noAnswer();
        return;
      }
      process.deliver(at, () => {
        cancelTimeout?.();
        settle();
      });
    }

    const at = arrivesAt();
    if (at > givenUpAt) noAnswer();
    if (at <= timeline.now) arrive(false);
    else timeline.at(at, () => arrive(false));
    return promise;
  }

  return { ask };
}

const METHODS: readonly (keyof Collection<Doc>)[] = [
  'insertOne',
  'insertMany',
  'findOne',
  'find',
  'count',
  'updateOne',
  'updateMany',
  'findOneAndUpdate',
  'deleteOne',
  'deleteMany',
  'replaceIfNewer',
];

/** The store as one process reaches it. */
export function storeOver(link: Link, store: Store): Store {
  const wrapped = new Map<string, unknown>();

  function wrap<T extends Doc>(name: string): Collection<T> {
    const collection = store.collection<T>(name) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    const methods = METHODS.map((method) => [
      method,
      (...args: unknown[]) => link.ask(() => collection[method]?.(...args) as Promise<unknown>),
    ]);
    return Object.fromEntries(methods) as Collection<T>;
  }

  return {
    collection<T extends Doc>(name: string) {
      if (!wrapped.has(name)) wrapped.set(name, wrap(name));
      return wrapped.get(name) as Collection<T>;
    },
    atomically: (writes) => link.ask(() => store.atomically(writes)),
    ping: () => link.ask(() => store.ping()),
    close: async () => {},
  };
}

/** The locks as one process reaches them; `locks` is asked anew each time, because a flush puts others in their place. */
export function locksOver(link: Link, locks: () => Locks): Locks {
  return {
    claim: (...args) => link.ask(() => locks().claim(...args)),
    claimInGeneration: (...args) => link.ask(() => locks().claimInGeneration(...args)),
    renew: (...args) => link.ask(() => locks().renew(...args)),
    release: (...args) => link.ask(() => locks().release(...args)),
    holderOf: (...args) => link.ask(() => locks().holderOf(...args)),
    generation: () => link.ask(() => locks().generation()),
    close: async () => {},
  };
}
