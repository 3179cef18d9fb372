import type { PlainObject } from '../../../lib/storage/field-path.ts';
import type { DocumentChange } from './memory-store.ts';
import type { Timeline } from './timeline.ts';
import type { VirtualProcess } from './virtual-process.ts';

/** A socket as WhatsApp sees it. */
export interface SeenSocket {
  readonly connectionId: string;
  readonly process: VirtualProcess;
  readonly epoch: number;
  /** the client holds it for open: neither did it end it, nor has it heard of an end */
  readonly openAtClient: boolean;
  loggedIn: boolean;
  /** when its last frame came, in time of the world */
  lastFrameAt: number;
  /** a newer login has its place */
  replaced: boolean;
}

export interface Witness {
  /** what was promised and did not hold, in words */
  readonly violations: string[];
  readonly counts: Record<'logins' | 'frames' | 'entries' | 'takeovers' | 'silentReplacements' | 'conflicts', number>;
  login(socket: SeenSocket): void;
  frame(socket: SeenSocket): void;
  stored(change: DocumentChange): void;
  /** The client was told that its counter is durable. */
  acknowledged(socket: SeenSocket, counter: number): void;
  /** What is durable of this connection up to an epoch: a client of that epoch that begins to read now must find it. */
  durable(connectionId: string, epoch: number): number;
  violation(text: string): void;
}

interface Journal {
  head: number;
  epoch: number;
  /** by sequence */
  nonces: Map<number, string>;
  takeovers: Set<number>;
}

const emptyMemory = () => ({ nonces: new Map<number, string>(), takeovers: new Set<number>() });

/* the deadline of a lease, and the look that finds it passed */
const PROVEN_WITHIN_MS = 7_500;

const ROWS_WITH_EPOCH: ReadonlySet<string> = new Set(['connections', 'sessions', 'remoteAuths', 'jobs', 'messages']);

/**
 * Sees what WhatsApp and the store see, and says independently of the product what must never be seen: PROMISES.md, P1 and
 * P2.
 */
export function createWitness(timeline: Timeline): Witness {
  const violations: string[] = [];
  const counts = { logins: 0, frames: 0, entries: 0, takeovers: 0, silentReplacements: 0, conflicts: 0 };
  const open = new Map<string, Set<SeenSocket>>();
  const journals = new Map<string, Journal>();
  /** by connection and epoch */
  const durable = new Map<string, Map<number, number>>();

  function violation(text: string): void {
    violations.push(`${(timeline.now / 1_000).toFixed(3)} ${text}`);
  }

  const nameOf = ({ connectionId, process, epoch }: SeenSocket) => `${connectionId} on ${process.name}, epoch ${epoch}`;

  /**
   * Its process is stopped; or its machine slept, and since it woke up the socket has not said anything: until its lease
   * is proven it is kept, and silent (docs/adr/0009).
   */
  function isSilent({ process, lastFrameAt }: SeenSocket): boolean {
    const { state, wokeAt } = process;
    return state === 'stopped' || (lastFrameAt < wokeAt && timeline.now - wokeAt < PROVEN_WITHIN_MS);
  }

  function entryStored(entry: PlainObject): void {
    const [id, seq, epoch] = [entry.connectionId as string, entry.seq as number, entry.epoch as number];
    const { kind, nonce } = entry;
    const journal = journals.get(id) ?? { head: 0, epoch: 0, ...emptyMemory() };
    /* a copy that the network kept for long, of an entry that was accepted, applied and pruned before: it changes nothing */
    if (journal.nonces.get(seq) === nonce) {
      if (journal.takeovers.has(seq) || journal.takeovers.has(seq + 1)) violation(`${id}: entry ${seq} was pruned`);
      return;
    }
    counts.entries += 1;
    if (kind === 'takeover') counts.takeovers += 1;
    if (epoch < journal.epoch) {
      violation(`${id}: entry ${seq} of epoch ${epoch} was accepted after the takeover of epoch ${journal.epoch}`);
    }
    if (seq <= journal.head) violation(`${id}: entry ${seq} was accepted a second time`);
    else if (seq !== journal.head + 1) violation(`${id}: entry ${seq} was accepted right after ${journal.head}`);
    if (kind === 'takeover' && epoch === journal.epoch) violation(`${id}: a second takeover of epoch ${epoch}`);
    journal.nonces.set(seq, nonce as string);
    if (kind === 'takeover') journal.takeovers.add(seq);
    journals.set(id, { ...journal, head: Math.max(journal.head, seq), epoch: Math.max(journal.epoch, epoch) });
  }

  return {
    violations,
    counts,
    violation,
    login(socket) {
      counts.logins += 1;
      const others = open.get(socket.connectionId) ?? new Set();
      open.set(socket.connectionId, others.add(socket));
      for (const other of others) {
        if (other === socket) continue;
        others.delete(other);
        other.replaced = true;
        if (!other.openAtClient || other.process.state === 'dead') continue;
        if (isSilent(other)) counts.silentReplacements += 1;
        else violation(`two open sockets of ${nameOf(other)} and of ${nameOf(socket)}`);
      }
      socket.loggedIn = true;
    },
    frame(socket) {
      counts.frames += 1;
      socket.lastFrameAt = timeline.now;
      if (socket.replaced) violation(`a frame of ${nameOf(socket)} after a newer login`);
    },
    stored({ collection, before, after }) {
      if (collection === 'sessionJournal' && after && !before) entryStored(after);
      if (before && after && ROWS_WITH_EPOCH.has(collection) && (after.epoch as number) < (before.epoch as number)) {
        violation(`${collection} ${after._id}: epoch ${after.epoch} overwrote epoch ${before.epoch}`);
      }
      if (before && after && collection === 'sessionKeys' && (after.seq as number) < (before.seq as number)) {
        violation(`${collection} ${after._id}: entry ${after.seq} overwrote entry ${before.seq}`);
      }
    },
    acknowledged({ connectionId, epoch }, counter) {
      const known = durable.get(connectionId) ?? new Map<number, number>();
      durable.set(connectionId, known.set(epoch, Math.max(counter, known.get(epoch) ?? 0)));
    },
    durable(connectionId, epoch) {
      const known = [...(durable.get(connectionId) ?? [])].filter(([of]) => of <= epoch);
      return Math.max(0, ...known.map(([, counter]) => counter));
    },
  };
}
