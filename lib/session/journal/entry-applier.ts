import type { Clock } from '../../clock.ts';
import { CastellanError, isErrorType } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { JournalDoc, SessionDoc, SessionKeyDoc } from '../../storage/collections.ts';
import type { Collection } from '../../storage/port.ts';
import type { JournalRecord, RecordApplier, RecordContext } from '../ports.ts';
import type { DurableEntry } from './entry.ts';
import type { KeySnapshot } from './key-snapshot.ts';

/**
 * What happens to durable entries in the background, in this order, each step idempotent: their records become Messages
 * and Events at once; their keys are written to the snapshot a moment later (only the last value of each); then the
 * watermark on the session row moves, only under the own epoch; then entries below it are pruned.
 *
 * A takeover entry and the entry right before it are never pruned, nor is the newest entry (it may be the one before a
 * takeover that this owner knows nothing of): a stale owner's next id is always one of those, so its insert collides.
 */
const SNAPSHOT_DELAY_MS = 1000;
const EAGER_KEYS = 256;
const EAGER_ENTRIES = 64;
const RECORD_ENTRIES_PER_CALL = 64;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 5000;

export interface EntryApplier {
  add(entry: DurableEntry): void;
  /** Applies everything now. @throws what the store or the record applier throws */
  drain(): Promise<void>;
  stop(): void;
  /** entries that are durable but not yet below the watermark */
  readonly backlog: number;
}

interface Options {
  snapshot: KeySnapshot;
  records: RecordApplier;
  context: () => RecordContext;
  sessions: Collection<SessionDoc>;
  journal: Collection<JournalDoc>;
  keys: Collection<SessionKeyDoc>;
  clock: Clock;
  log: Log;
  /** the newest durable entry and the last one whose effects are stored */
  head: number;
  watermark: number;
  onRecordsApplied: (records: readonly JournalRecord[]) => void;
  onProgress: () => void;
  onFatal: (error: Error) => void;
}

export function createEntryApplier(options: Options): EntryApplier {
  const { snapshot, records, context, sessions, journal, keys, clock, log } = options;
  const { connectionId, epoch } = context();
  let { head, watermark } = options;
  let writtenFloor = snapshot.floor;
  let prunedThrough = -1;
  let protectedSeqs: number[] | null = null;
  let pending: { seq: number; records: JournalRecord[] }[] = [];
  let cancelTimer: (() => void) | null = null;
  let queue: Promise<void> = Promise.resolve();
  let retryMs = FIRST_RETRY_MS;
  let running = false;
  let stopped = false;

  function pass(withSnapshot: boolean): Promise<void> {
    const next = queue.then(async () => {
      await applyRecords();
      if (withSnapshot && head > watermark) await writeSnapshot();
    });
    queue = next.catch(() => {});
    return next;
  }

  async function applyRecords(): Promise<void> {
    while (pending.length > 0) {
      const batch = pending.slice(0, RECORD_ENTRIES_PER_CALL);
      const all = batch.flatMap((entry) => entry.records);
      await records.apply(all, context());
      pending = pending.slice(batch.length);
      options.onRecordsApplied(all);
    }
  }

  async function writeSnapshot(): Promise<void> {
    /* an entry that came in meanwhile may have records that are not applied yet */
    const through = pending[0] ? pending[0].seq - 1 : head;
    await snapshot.flush();
    const { floor, credentialsSeq } = snapshot;
    const update = { $set: { watermark: through, floor, credentialsSeq } };
    const { matched } = await sessions.updateOne({ _id: connectionId, epoch }, update);
    if (matched === 0) throw new CastellanError('SESSION_FENCED');
    watermark = through;
    options.onProgress();
    await prune(floor);
  }

  async function prune(floor: number): Promise<void> {
    const through = Math.min(watermark, head - 1);
    protectedSeqs ??= await takeoverNeighbours();
    if (through > prunedThrough) {
      const seq = { $gt: prunedThrough, $lte: through, $nin: protectedSeqs };
      await journal.deleteMany({ connectionId, kind: 'commit', seq });
      prunedThrough = through;
    }
    if (floor > writtenFloor) {
      await keys.deleteMany({ connectionId, seq: { $lt: floor } });
      writtenFloor = floor;
    }
  }

  async function takeoverNeighbours(): Promise<number[]> {
    const takeovers = await journal.find({ connectionId, kind: 'takeover' });
    return takeovers.map(({ seq }) => seq - 1);
  }

  function run(): void {
    cancelTimer?.();
    cancelTimer = null;
    running = true;
    pass(true)
      .finally(() => {
        running = false;
      })
      .then(() => {
        retryMs = FIRST_RETRY_MS;
        schedule();
      })
      .catch(failed);
  }

  function failed(error: Error): void {
    if (stopped) return;
    if (isErrorType(error, 'SESSION_FENCED', 'SESSION_QUARANTINED')) {
      stopped = true;
      options.onFatal(error);
      return;
    }
    log.warn({ connectionId, epoch, backlog: head - watermark, cause: error.message }, 'entries not applied, retrying');
    cancelTimer?.();
    cancelTimer = clock.after(retryMs, () => run());
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  }

  function schedule(): void {
    if (stopped || running || cancelTimer || head === watermark) return;
    const eager = snapshot.dirtyCount >= EAGER_KEYS || head - watermark >= EAGER_ENTRIES;
    if (eager) run();
    else cancelTimer = clock.after(SNAPSHOT_DELAY_MS, () => run());
  }

  return {
    add(entry) {
      snapshot.add(entry);
      head = entry.seq;
      const failing = retryMs > FIRST_RETRY_MS;
      if (entry.records.length > 0) {
        pending.push({ seq: entry.seq, records: entry.records });
        if (!stopped && !failing) pass(false).catch(failed);
      }
      schedule();
    },
    async drain() {
      await pass(true);
    },
    stop() {
      stopped = true;
      cancelTimer?.();
      cancelTimer = null;
    },
    get backlog() {
      return head - watermark;
    },
  };
}
