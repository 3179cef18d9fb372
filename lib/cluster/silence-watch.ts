import type { Clock } from '../clock.ts';
import type { NodeDoc } from '../storage/collections.ts';
import { holderName } from './membership.port.ts';

type HeartbeatRow = Pick<NodeDoc, '_id' | 'incarnation' | 'counter'> & Partial<Pick<NodeDoc, 'former'>>;

/**
 * Who has been heard when, on this process's own monotonic clock. A silence is only what was listened to: a read that
 * failed, or a gap between two reads, begins every silence anew, because an outage of the store is not its owners'
 * silence. Whoever was never heard of is silent since the listening began.
 *
 * A process that lost its row to another can store no heartbeat any more. If the row says that its last one is the one
 * that was heard, its silence goes on; otherwise it begins when that was seen.
 */
export interface SilenceWatch {
  /** All heartbeat rows, as a read that was sent at `askedAt` found them. */
  heard(rows: readonly HeartbeatRow[], askedAt: number): void;
  /** A read failed. */
  interrupted(): void;
  /** For how long this holder was not heard, up to the latest read, ms. */
  silentForMs(holder: string): number;
}

export function createSilenceWatch(clock: Pick<Clock, 'monotonic'>, gapMs: number): SilenceWatch {
  const counters = new Map<string, number>();
  const heardAt = new Map<string, number>();
  /** null = not listening: no read yet, or the last one failed */
  let since: number | null = null;
  let lastReadAt = 0;

  function interrupted(): void {
    since = null;
    heardAt.clear();
  }

  return {
    interrupted,
    heard(rows, askedAt) {
      const now = clock.monotonic();
      if (since !== null && now - lastReadAt > gapMs) interrupted();
      since ??= now;
      lastReadAt = askedAt;
      const seen = new Set<string>();
      const lastCounters = new Map<string, number>();
      for (const { _id, incarnation, counter, former } of rows) {
        if (former) lastCounters.set(holderName({ nodeId: _id, incarnation: former.incarnation }), former.counter);
        const holder = holderName({ nodeId: _id, incarnation });
        seen.add(holder);
        if (counters.get(holder) !== counter) heardAt.set(holder, now);
        counters.set(holder, counter);
      }
      /* replaced or gone: its last heartbeat may have been a moment ago, and cannot come any more */
      for (const [holder, counter] of counters) {
        if (seen.has(holder)) continue;
        counters.delete(holder);
        if (lastCounters.get(holder) !== counter) heardAt.set(holder, now);
      }
    },
    silentForMs(holder) {
      if (since === null || clock.monotonic() - lastReadAt > gapMs) return 0;
      return Math.max(0, lastReadAt - Math.max(since, heardAt.get(holder) ?? since));
    },
  };
}
