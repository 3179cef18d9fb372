import pLimit from 'p-limit';
import type { Clock } from '../../clock.ts';
import { UNCONDITIONAL } from '../../cluster/lease.port.ts';
import { isSameOwner, type Owner } from '../../cluster/membership.port.ts';
import type { Log } from '../../log.ts';
import type { JournalDoc, SessionDoc, SessionKeyDoc } from '../../storage/collections.ts';
import type { Store } from '../../storage/port.ts';
import type { Vault } from '../../storage/vault.ts';
import { createBoundedCache } from '../bounded-cache.ts';
import type { RecordApplier, SessionActivation, SessionStore, TakeOverOptions } from '../ports.ts';
import { createActivation, type JournalActivation } from './activation.ts';
import { entryId } from './entry.ts';
import { createGroupWriter } from './group-writer.ts';
import type { KeyCache } from './key-snapshot.ts';
import { newNonce, readHead, type SessionCollections, takeOverSession, writeEntry } from './takeover.ts';

export interface SessionStoreOptions {
  store: Store;
  vault: Vault;
  clock: Clock;
  log: Log;
  applier: RecordApplier;
  /** how long an unanswered read or write is repeated before the activation ends. Milliseconds, default 30,000 */
  patienceMs?: number;
  /** how long keys gather before the snapshot is written, ms; default 5,000 */
  snapshotDelayMs?: number;
  /** cache of keys for all sessions of this process. Bytes, default 64 MiB */
  keyCacheBytes?: number;
}

const DEFAULT_PATIENCE_MS = 30_000;
/**
 * A node that takes over many sessions has many snapshots to write, and some have a registration's 812 pre-keys in them. All
 * at once they would keep each other from being answered in time, and begin again, for ever.
 */
const SNAPSHOTS_AT_ONCE = 2;
const DEFAULT_KEY_CACHE_BYTES = 64 * 1024 * 1024;
/** what an entry of the cache costs beside its value: the key string and the map's slot */
const CACHE_ENTRY_BYTES = 200;

const journalActivations = new WeakSet<SessionActivation>();

/** Session state over the document store: a snapshot of keys plus a fenced journal. Knows nothing of WhatsApp. */
export function createSessionStore(options: SessionStoreOptions): SessionStore {
  const { store, vault, clock, log, applier } = options;
  const patienceMs = options.patienceMs ?? DEFAULT_PATIENCE_MS;
  const collections: SessionCollections = {
    sessions: store.collection<SessionDoc>('sessions'),
    keys: store.collection<SessionKeyDoc>('sessionKeys'),
    journal: store.collection<JournalDoc>('sessionJournal'),
  };
  const snapshotInTurn = pLimit(SNAPSHOTS_AT_ONCE);
  const writer = createGroupWriter({ journal: collections.journal, clock, log, patienceMs });
  const cache: KeyCache = createBoundedCache(
    options.keyCacheBytes ?? DEFAULT_KEY_CACHE_BYTES,
    ({ value }, key) => CACHE_ENTRY_BYTES + key.length + (value?.byteLength ?? 0),
  );

  async function takeOver(
    connectionId: string,
    userId: string,
    owner: Owner,
    { head, lease = UNCONDITIONAL, replayMeanwhile = false }: TakeOverOptions = {},
  ): Promise<SessionActivation> {
    const claim = { connectionId, userId, owner, lease, ...(head !== undefined && { head }) };
    const taken = await takeOverSession(collections, writer, vault, claim);
    const activation = createActivation({
      connectionId,
      userId,
      owner,
      taken,
      collections,
      writer,
      vault,
      cache,
      records: applier,
      snapshotInTurn,
      lease,
      clock,
      log,
      patienceMs,
      snapshotDelayMs: options.snapshotDelayMs,
    });
    if (!replayMeanwhile) await activation.replayed;
    journalActivations.add(activation);
    return activation;
  }

  async function giveUp(connectionId: string, owner: Owner): Promise<boolean> {
    const head = await readHead(collections.journal, connectionId);
    const owed = head !== null && !head.released && isSameOwner(head.owner, owner);
    if (owed) {
      const [seq, epoch] = [head.seq + 1, head.epoch];
      const entry = { connectionId, seq, epoch, kind: 'release', owner, nonce: newNonce(), payload: null } as const;
      await writeEntry(writer, { _id: entryId(connectionId, seq), ...entry }, UNCONDITIONAL);
    }
    const mine = { _id: connectionId, 'owner.incarnation': owner.incarnation, epoch: { $lte: head?.epoch ?? 0 } };
    await collections.sessions.updateOne(mine, { $set: { owner: null } });
    return owed;
  }

  return {
    takeOver,
    head: (connectionId) => readHead(collections.journal, connectionId),
    giveUp,
    async recordedTo({ nodeId, incarnation }) {
      const rows = await collections.sessions.find({ 'owner.nodeId': nodeId, 'owner.incarnation': incarnation });
      return rows.map(({ _id }) => _id);
    },
    async destroy(connectionId) {
      await collections.keys.deleteMany({ connectionId });
      await collections.journal.deleteMany({ connectionId });
      await collections.sessions.deleteMany({ _id: connectionId });
    },
  };
}

/** The inside of an activation, for the adapter of the protocol. @throws TypeError when it is not one of ours */
export function journalActivation(activation: SessionActivation): JournalActivation {
  if (!journalActivations.has(activation)) throw new TypeError('Not an activation of this session store.');
  return activation as JournalActivation;
}
