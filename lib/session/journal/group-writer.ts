import type { Clock } from '../../clock.ts';
import type { Lease } from '../../cluster/lease.port.ts';
import { CastellanError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { JournalDoc } from '../../storage/collections.ts';
import type { Collection } from '../../storage/port.ts';

/**
 * Group commit: the entries of all connections of this process that are ready in one turn of the event loop go out in
 * one `insertMany`, and while that is under way the next group gathers. A connection has at most one entry here, so
 * nothing has to be kept in order between entries.
 *
 * Every outcome is made certain before it is told. An unknown one (no answer, an error of the network) is repeated with
 * the same bytes until `patienceMs` have passed; a duplicate is answered by reading the entry: one's own nonce means that
 * an earlier try got through, another's means that the session was taken over.
 */
const MAX_ENTRIES = 256;
const MAX_BYTES = 8 * 1024 * 1024;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

export interface EntryJob {
  /** the entry waits while it is unproven, and is not sent once it is over (SESSION_FENCED) */
  lease: Lease;
  /** Called when the entry's turn comes, so that it holds everything up to that moment. May throw. */
  build(): JournalDoc;
  /** null = durable. SESSION_FENCED, STORE_UNAVAILABLE, or what `build` threw. */
  settle(error: Error | null): void;
}

export interface GroupWriter {
  enqueue(job: EntryJob): void;
}

interface Built {
  job: EntryJob;
  doc: JournalDoc;
  deadline: number;
}

interface Options {
  journal: Collection<JournalDoc>;
  clock: Clock;
  log: Log;
  patienceMs: number;
}

export function createGroupWriter({ journal, clock, log, patienceMs }: Options): GroupWriter {
  let waiting: { job: EntryJob; since: number }[] = [];
  let running = false;

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      await writeUntilSettled(takeGroup());
    }
    running = false;
  }

  function takeGroup(): Built[] {
    const group: Built[] = [];
    let bytes = 0;
    let taken = 0;
    while (taken < waiting.length && group.length < MAX_ENTRIES && bytes < MAX_BYTES) {
      const next = waiting[taken++];
      const built = next && build(next.job, next.since);
      if (!built) continue;
      group.push(built);
      bytes += built.doc.payload?.byteLength ?? 0;
    }
    waiting = waiting.slice(taken);
    return group;
  }

  function build(job: EntryJob, since: number): Built | null {
    try {
      const standing = job.lease.standing();
      if (standing === 'over') throw fencedError();
      if (standing === 'unproven') {
        /* its place in the order is its connection's, which has no other entry on the way */
        job.lease.proven().then(() => enqueue(job, since), job.settle);
        return null;
      }
      return { job, doc: job.build(), deadline: since + patienceMs };
    } catch (error) {
      job.settle(error as Error);
      return null;
    }
  }

  async function writeUntilSettled(group: Built[]): Promise<void> {
    let open = group;
    for (let pauseMs = FIRST_PAUSE_MS; open.length > 0; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        open = withoutLost(open);
        if (open.every(({ job }) => job.lease.standing() === 'mine')) return await write(open);
      } catch (cause) {
        log.warn({ entries: open.length, cause: (cause as Error).message }, 'journal write has no outcome, repeating');
        open = withoutExpired(open, cause);
      }
      if (open.length > 0) await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
    }
  }

  async function write(group: Built[]): Promise<void> {
    if (group.length === 0) return;
    const outcomes = await journal.insertMany(group.map(({ doc }) => doc));
    const collided = group.filter((_, index) => outcomes[index] === 'duplicate');
    const fenced = collided.length > 0 ? await othersEntries(collided) : new Set<Built>();
    for (const built of group) built.job.settle(fenced.has(built) ? fencedError() : null);
  }

  async function othersEntries(collided: Built[]): Promise<Set<Built>> {
    const stored = await journal.find({ _id: { $in: collided.map(({ doc }) => doc._id) } });
    const nonces = new Map(stored.map((entry) => [entry._id, entry.nonce]));
    return new Set(collided.filter(({ doc }) => nonces.get(doc._id) !== doc.nonce));
  }

  /** Before each try: an activation that is over sends nothing, not even the same bytes again. */
  function withoutLost(group: Built[]): Built[] {
    const lost = group.filter(({ job }) => job.lease.standing() === 'over');
    for (const { job } of lost) job.settle(fencedError());
    return group.filter((built) => !lost.includes(built));
  }

  function withoutExpired(group: Built[], cause: unknown): Built[] {
    const now = clock.monotonic();
    for (const { job, deadline } of group) {
      if (deadline <= now) job.settle(new CastellanError('STORE_UNAVAILABLE', undefined, undefined, { cause }));
    }
    return group.filter(({ deadline }) => deadline > now);
  }

  function enqueue(job: EntryJob, since: number): void {
    waiting.push({ job, since });
    if (running) return;
    running = true;
    void run();
  }

  return { enqueue: (job) => enqueue(job, clock.monotonic()) };
}

function fencedError(): CastellanError {
  return new CastellanError('SESSION_FENCED');
}
