import type { Clock } from '../../../lib/clock.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

/**
 * A process as the world sees it: it runs, it is stopped (SIGSTOP, a long collection of garbage) or it is dead. What
 * comes for a stopped process (answers, timers that are due) waits and comes in any order when it goes on; nothing ever
 * comes to a dead one. Its clocks are its own: another origin, another rate, a wall clock that somebody may set.
 */
export interface VirtualProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly state: 'running' | 'stopped' | 'dead';
  /** Runs `fn` inside the process, not before this time of the world. @returns the canceller */
  deliver(time: number, fn: () => void): () => void;
  /** when its machine woke up last, in time of the world */
  readonly wokeAt: number;
  /** What leaves the process does so at this time of the world: later than now when it was stopped in mid-thought. */
  readonly leavesAt: number;
  /** Stops it until this time of the world, or longer where it is stopped for longer. */
  stopUntil(time: number): void;
  /** A suspended machine: its monotonic clock stands still with it, its wall clock does not. */
  suspendUntil(time: number): void;
  kill(): void;
  /** Stops it in the middle of a thought: at the n-th look at its clock from now on, for so long. */
  stopAtLook(looks: number, forMs: number): void;
  setWallClock(byMs: number): void;
}

/** What the processes of one world share. */
export interface ProcessWorld {
  timeline: Timeline;
  random: Random;
  /** the one whose thought runs at this moment */
  current: VirtualProcess | null;
}

const WALL_EPOCH = Date.UTC(2026, 0, 1);
/** crystals differ by less; one part in a thousand leaves nothing to luck */
const DRIFT = 0.001;

export function createVirtualProcess(world: ProcessWorld, name: string): VirtualProcess {
  const { timeline } = world;
  const random = world.random.fork(`process ${name}`);
  const origin = random.between(0, 1e6) - timeline.now;
  const rate = 1 + random.between(-DRIFT, DRIFT);
  let wallOffset = random.between(-3_000, 3_000);
  let state: VirtualProcess['state'] = 'running';
  let held: { fn: () => void; cancelled: boolean }[] = [];
  /** how far this thought is ahead of the world: it was stopped in its middle */
  let ahead = 0;
  /** how long its machine was suspended so far */
  let slept = 0;
  let looksLeft = Number.POSITIVE_INFINITY;
  let aheadBy = 0;
  let stoppedUntil = 0;
  let wokeAt = Number.NEGATIVE_INFINITY;

  function monotonic(): number {
    looksLeft -= 1;
    if (looksLeft === 0) {
      looksLeft = Number.POSITIVE_INFINITY;
      ahead = aheadBy;
    }
    return reading();
  }

  const reading = () => origin + (timeline.now + ahead - slept) * rate;

  function after(delayMs: number, fn: () => void): () => void {
    const due = reading() + Math.max(0, delayMs);
    let cancel: () => void = () => {};
    const wait = () => {
      cancel = deliver(timeline.now + ahead + (due - reading()) / rate, () => {
        /* the machine slept meanwhile */
        if (due - reading() > 0.001) wait();
        else fn();
      });
    };
    wait();
    return () => cancel();
  }

  function enter(fn: () => void): void {
    world.current = self;
    fn();
  }

  function deliver(time: number, fn: () => void): () => void {
    const waiting = { fn, cancelled: false };
    const cancel = timeline.at(time, () => {
      if (state === 'dead' || waiting.cancelled) return;
      if (state === 'stopped') held.push(waiting);
      else enter(fn);
    });
    return () => {
      waiting.cancelled = true;
      cancel();
    };
  }

  function resume(): void {
    if (state !== 'stopped' || timeline.now < stoppedUntil) return;
    state = 'running';
    const due = random.shuffled(held);
    held = [];
    for (const { fn, cancelled } of due) if (!cancelled) deliver(timeline.now, fn);
  }

  const self: VirtualProcess & { settle(): void } = {
    name,
    clock: {
      now: () => Math.floor(WALL_EPOCH + timeline.now + ahead + wallOffset),
      monotonic,
      after,
    },
    get state() {
      return state;
    },
    get wokeAt() {
      return wokeAt;
    },
    get leavesAt() {
      return timeline.now + ahead;
    },
    deliver,
    stopUntil(time) {
      if (state === 'dead') return;
      state = 'stopped';
      stoppedUntil = Math.max(stoppedUntil, time);
      timeline.at(time, resume);
    },
    suspendUntil(time) {
      if (state !== 'running') return;
      slept += time - timeline.now;
      wokeAt = time;
      self.stopUntil(time);
    },
    kill() {
      state = 'dead';
      held = [];
    },
    stopAtLook(looks, forMs) {
      looksLeft = looks;
      aheadBy = forMs;
    },
    setWallClock(byMs) {
      wallOffset += byMs;
    },
    settle() {
      if (ahead === 0) return;
      const until = timeline.now + ahead;
      ahead = 0;
      self.stopUntil(until);
    },
  };
  return self;
}

/** To be called when the thought of `world.current` has ended. */
export function endThought(world: ProcessWorld): void {
  const process = world.current as (VirtualProcess & { settle(): void }) | null;
  world.current = null;
  process?.settle();
}
