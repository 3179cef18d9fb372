import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { createClockWatch } from './clock-watch.ts';

/**
 * How long packets were under way, without comparing clocks of two hosts.
 *
 * A bus that was paused, a process that was stopped, or a connection that was cut and healed deliver requests whose
 * callers have given up long ago; such a request must not take effect any more. So every packet says when it was sent,
 * on its sender's monotonic clock. The difference to the receiver's clock means nothing by itself, but the *smallest*
 * difference that was seen lately is a packet that came at once (there is a heartbeat every 2 s), and whatever a packet
 * exceeds it by, it was late by.
 *
 * The smallest difference is of the last half to whole minute only, because clocks drift. A sender whose monotonic clock
 * stood still (its machine was suspended) would look late from then on: it notices the jump and begins anew under
 * another name. The first packet of a name cannot be judged and counts as on time.
 */
export interface Stamp {
  /** whose clock; new at every start of a process and after every jump */
  by: string;
  /** monotonic, ms */
  at: number;
}

/** @returns what stamps the packets that leave this process */
export function createStamps(clock: Pick<Clock, 'now' | 'monotonic'>): () => Stamp {
  let by = randomUUID();
  const clockJumped = createClockWatch(clock, JUMP_MS);
  return () => {
    if (clockJumped()) by = randomUUID();
    return { by, at: clock.monotonic() };
  };
}

const JUMP_MS = 500;
const WINDOW_MS = 30_000;
const FORGET_MS = 10 * 60_000;

interface Sender {
  /** smallest differences of this window and of the one before */
  current: number;
  before: number;
  windowBegan: number;
  heardAt: number;
}

/** @returns a function that takes the stamp of a packet that came just now, and gives by how much it was late, ms */
export function createTravelWatch(clock: Pick<Clock, 'monotonic'>): (stamp: Stamp) => number {
  const senders = new Map<string, Sender>();

  function meet(by: string, now: number): Sender {
    for (const [name, { heardAt }] of senders) if (now - heardAt > FORGET_MS) senders.delete(name);
    const sender = { current: Infinity, before: Infinity, windowBegan: now, heardAt: now };
    senders.set(by, sender);
    return sender;
  }

  return ({ by, at }) => {
    const now = clock.monotonic();
    const sender = senders.get(by) ?? meet(by, now);
    sender.heardAt = now;
    /* by time and not by number: a burst of late packets must not push out what was on time before it */
    if (now - sender.windowBegan > WINDOW_MS) {
      sender.before = sender.current;
      sender.current = Infinity;
      sender.windowBegan = now;
    }
    sender.current = Math.min(sender.current, now - at);
    return now - at - Math.min(sender.current, sender.before);
  };
}
