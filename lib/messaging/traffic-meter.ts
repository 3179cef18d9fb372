import type { Clock } from '../clock.ts';

/** How many messages this process sends and receives. */
export interface TrafficMeter {
  count(messages: number): void;
  /** @returns those of the last 60 seconds */
  perMinute(): number;
}

const SECONDS = 60;

/** One counter for each of the last 60 seconds: a message costs an addition, and nothing grows. */
export function createTrafficMeter(clock: Pick<Clock, 'monotonic'>): TrafficMeter {
  const counts = new Array<number>(SECONDS).fill(0);
  let second = secondNow();

  function secondNow(): number {
    return Math.floor(clock.monotonic() / 1000);
  }

  function forget(): void {
    const now = secondNow();
    for (let passed = Math.min(now - second, SECONDS); passed > 0; passed -= 1) {
      counts[(now - passed + 1) % SECONDS] = 0;
    }
    second = now;
  }

  return {
    count(messages) {
      forget();
      counts[second % SECONDS] = (counts[second % SECONDS] ?? 0) + messages;
    },
    perMinute() {
      forget();
      return counts.reduce((sum, count) => sum + count, 0);
    },
  };
}
