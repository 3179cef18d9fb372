import type { Clock } from '../../lib/clock.ts';

export interface ManualClock extends Clock {
  /** The wall clock is set; the monotonic one goes on. */
  jump(ms: number): void;
  /** Lets time pass: due timers run in order, and what they start gets its turn. */
  advance(ms: number): Promise<void>;
  /** timers that were set and neither ran nor were cancelled */
  readonly pending: number;
}

interface Timer {
  at: number;
  fn: () => void;
}

/** A clock that stands still until it is told to move. */
export function createManualClock(start = Date.UTC(2026, 0, 1)): ManualClock {
  const timers = new Set<Timer>();
  let elapsed = 0;
  let jumped = 0;

  function nextUntil(end: number): Timer | undefined {
    const due = [...timers].filter(({ at }) => at <= end);
    return due.sort((a, b) => a.at - b.at)[0];
  }

  return {
    now: () => start + elapsed + jumped,
    jump(ms) {
      jumped += ms;
    },
    monotonic: () => elapsed,
    after(delayMs, fn) {
      const timer = { at: elapsed + delayMs, fn };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    get pending() {
      return timers.size;
    },
    async advance(ms) {
      const end = elapsed + ms;
      for (let timer = nextUntil(end); timer; timer = nextUntil(end)) {
        timers.delete(timer);
        elapsed = Math.max(elapsed, timer.at);
        timer.fn();
        await turns();
      }
      elapsed = end;
      await turns();
    },
  };
}

/** Lets promises and immediates that are ready run. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
