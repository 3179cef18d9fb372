/**
 * The time of a whole world. Nothing passes by itself: the next event runs, everything that it set off ends (promises
 * and their followers), and only then the time moves to the event after it. So between two events nothing is pending
 * that the timeline does not know of, and the same seed gives the same run.
 */
export interface Timeline {
  /** ms since the world began */
  readonly now: number;
  /** Runs `fn` at this time, after what was planned for the same time before. @returns the canceller */
  at(time: number, fn: () => void): () => void;
  /** Called before every event, when everything that the one before it set off has ended. */
  afterEach: () => void;
  /** Lets events run until the time is reached or `stop()` was called. */
  run(until: number): Promise<void>;
  stop(): void;
  /** events so far */
  readonly steps: number;
}

interface Event {
  time: number;
  order: number;
  fn: (() => void) | null;
}

/* taken before anything replaces it */
const afterPromises = setImmediate;
/* between two immediates every promise runs; a turn of the event loop for each event would cost ten times as much */
const EVENTS_PER_TURN = 256;

export function createTimeline(): Timeline {
  const heap: Event[] = [];
  let now = 0;
  let order = 0;
  let steps = 0;
  let stopped = false;

  function before(a: Event, b: Event): boolean {
    return a.time < b.time || (a.time === b.time && a.order < b.order);
  }

  function push(event: Event): void {
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent] as Event)) break;
      heap[at] = heap[parent] as Event;
      at = parent;
    }
    heap[at] = event;
  }

  function pop(): Event | undefined {
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child += 1;
      if (!before(heap[child] as Event, last)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
    return top;
  }

  /** @returns whether there was one */
  function step(until: number): boolean {
    timeline.afterEach();
    while (heap[0] && !heap[0].fn) pop();
    const next = heap[0];
    if (!next || next.time > until || stopped) return false;
    pop();
    now = Math.max(now, next.time);
    steps += 1;
    const { fn } = next;
    next.fn = null;
    fn?.();
    return true;
  }

  const timeline: Timeline = {
    get now() {
      return now;
    },
    get steps() {
      return steps;
    },
    afterEach: () => {},
    at(time, fn) {
      const event: Event = { time: Math.max(time, now), order: order++, fn };
      push(event);
      return () => {
        event.fn = null;
      };
    },
    run(until) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      let over = false;
      let left = 0;

      function turn(): void {
        left -= 1;
        if (over) return;
        try {
          over = !step(until);
        } catch (error) {
          over = true;
          reject(error);
        }
        if (over) {
          if (!stopped) now = Math.max(now, until);
          resolve();
        } else if (left === 0) plan();
      }

      function plan(): void {
        for (left = 0; left < EVENTS_PER_TURN; left += 1) afterPromises(turn);
      }

      plan();
      return promise;
    },
    stop() {
      stopped = true;
    },
  };
  return timeline;
}
