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
 * and Events at once (claims a little later); their keys are written to the snapshot a moment later (only the last value
 * of each), of a few connections at a time; then the watermark on the session row moves, only under the own epoch; then
 * entries below it are pruned.
 *
 * A takeover entry and the entry right before it are never pruned, nor is the newest entry (it may be the one before a
 * takeover that this owner knows nothing of): a stale owner's next id is always one of those, so its insert collides.
 */
const DEFAULT_SNAPSHOT_DELAY_MS = 5_000;
/** The outbox writes the claim together with the ack, if the ack comes sooner than this. */
const CLAIM_DELAY_MS = 250;
const EAGER_KEYS = 256;
const EAGER_ENTRIES = 64;
const RECORD_ENTRIES_PER_CALL = 64;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 5000;

export interface EntryApplier {
  add(entry: DurableEntry): void;
  /** Applies everything now. @throws what the store or the record applier throws */
  drain(): Promise<void>;
  /** Applies the records now; keys and watermark follow. @throws what the store or the record applier throws */
  applyRecords(): Promise<void>;
  stop(): void;
  /** entries that are durable but not yet below the watermark */
  readonly backlog: number;
}

/** Runs what it is given, of all connections of the process only so many at a time. */
export type InTurn = <R>(work: () => Promise<R>) => Promise<R>;

interface Options {
  snapshot: KeySnapshot;
  /** a pass that writes the snapshot waits for its turn */
  inTurn: InTurn;
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
  /** how long keys gather before they are written, ms */
  snapshotDelayMs?: number | undefined;
  onRecordsApplied: (records: readonly JournalRecord[]) => void;
  onProgress: () => void;
  onFatal: (error: Error) => void;
}

interface Pending {
  seq: number;
  records: JournalRecord[];
}

export function createEntryApplier(options: Options): EntryApplier {
  const { snapshot, inTurn, records, context, sessions, journal, keys, clock, log } = options;
  const { snapshotDelayMs = DEFAULT_SNAPSHOT_DELAY_MS } = options;
  const { connectionId, epoch } = context();
  let { head, watermark } = options;
  let writtenFloor = snapshot.floor;
  let prunedThrough = -1;
  let protectedSeqs: number[] | null = null;
  let pending: Pending[] = [];
  let claims: Pending[] = [];
  let cancelTimer: (() => void) | null = null;
  let cancelClaimTimer: (() => void) | null = null;
  let queue: Promise<void> = Promise.resolve();
  let retryMs = FIRST_RETRY_MS;
  let running = false;
  let stopped = false;

  function pass({ withClaims = false, withSnapshot = false }): Promise<void> {
    const next = queue.then(async () => {
      if (withClaims) await applyClaims();
      await applyRecords();
      if (withSnapshot && head > watermark) await writeSnapshot();
    });
    queue = next.catch(() => {});
    return next;
  }

  /** Records go on being applied while the snapshot waits for its turn. */
  function passWithSnapshot(): Promise<void> {
    return inTurn(async () => {
      if (!stopped) await pass({ withClaims: true, withSnapshot: true });
    });
  }

  async function applyRecords(): Promise<void> {
    while (pending.length > 0) {
      const batch = pending.slice(0, RECORD_ENTRIES_PER_CALL);
      await applyBatch(batch);
      pending = pending.slice(batch.length);
    }
  }

  async function applyClaims(): Promise<void> {
    const batch = claims;
    if (batch.length === 0) return;
    await applyBatch(batch);
    claims = claims.slice(batch.length);
  }

  async function applyBatch(batch: readonly Pending[]): Promise<void> {
    const all = batch.flatMap((entry) => entry.records);
    const again = batch.some(({ seq }) => seq <= options.head);
    await records.apply(all, { ...context(), again });
    options.onRecordsApplied(all);
  }

  async function writeSnapshot(): Promise<void> {
    /* an entry that came in meanwhile may have records that are not applied yet */
    const through = Math.min(head, ...[pending[0], claims[0]].flatMap((first) => (first ? [first.seq - 1] : [])));
    await snapshot.flush();
    const { floor, credentialsSeq } = snapshot;
    /* never backwards: the network may hold back a copy of an earlier update until the entries above it are pruned */
    const update = { $max: { watermark: through, floor, credentialsSeq } };
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
    passWithSnapshot()
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
    else cancelTimer = clock.after(snapshotDelayMs, () => run());
  }

  /** Claims need no place in the order of the others: what others say of the same message goes further. */
  function enqueue({ seq, records: added }: DurableEntry): void {
    const claimed = added.filter(({ kind }) => kind === 'claim');
    const others = added.filter(({ kind }) => kind !== 'claim');
    if (claimed.length > 0) claims.push({ seq, records: claimed });
    if (others.length > 0) pending.push({ seq, records: others });
    const failing = retryMs > FIRST_RETRY_MS;
    if (stopped || failing) return;
    if (others.length > 0) pass({}).catch(failed);
    if (claimed.length > 0) {
      cancelClaimTimer ??= clock.after(CLAIM_DELAY_MS, () => {
        cancelClaimTimer = null;
        pass({ withClaims: true }).catch(failed);
      });
    }
  }

  return {
    add(entry) {
      snapshot.add(entry);
      head = entry.seq;
      enqueue(entry);
      schedule();
    },
    async drain() {
      await passWithSnapshot();
    },
    applyRecords: () => pass({ withClaims: true }),
    stop() {
      stopped = true;
      cancelTimer?.();
      cancelTimer = null;
      cancelClaimTimer?.();
      cancelClaimTimer = null;
    },
    get backlog() {
      return head - watermark;
    },
  };
}
