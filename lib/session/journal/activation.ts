import type { Clock } from '../../clock.ts';
import type { Lease } from '../../cluster/lease.port.ts';
import type { Owner } from '../../cluster/membership.port.ts';
import { CastellanError, isErrorType } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { JournalDoc } from '../../storage/collections.ts';
import type { Vault } from '../../storage/vault.ts';
import type { RecordApplier, SessionActivation } from '../ports.ts';
import {
  type Credentials,
  type EntryContent,
  emptyContent,
  entryId,
  keyName,
  type StateChange,
  sealEntry,
} from './entry.ts';
import { createEntryApplier, type InTurn } from './entry-applier.ts';
import type { GroupWriter } from './group-writer.ts';
import { createKeySnapshot, type KeyCache } from './key-snapshot.ts';
import { createKnownCiphertexts, type KnownCiphertext } from './known-ciphertexts.ts';
import { guardedCollections, newNonce, type SessionCollections, type TakenSession, writeEntry } from './takeover.ts';

/**
 * The durable state of one activation. Changes are staged synchronously and seen by every later read at once; the staged
 * changes become one journal entry, and at most one entry of a connection is in flight: what is staged meanwhile joins
 * the next one, in order. Nobody may act on a staged change towards the outside before `flush` resolved: the frame gate
 * sees to that. After the first failure nothing is written any more and every promise is rejected, after the listeners
 * of `onFailure` (the gate first) were called.
 */
export interface JournalActivation extends SessionActivation {
  readonly credentials: Credentials | null;
  /** Adds to the pending entry. @throws SESSION_FENCED or what ended this activation, CONNECTION_CLOSED after `close` */
  stage(change: StateChange): void;
  /** Nothing is staged or in flight: `flush` would resolve at once. */
  readonly clean: boolean;
  /** @returns for every id that has one its newest value, staged ones included. @throws what ended this activation */
  readKeys(type: string, ids: readonly string[]): Promise<Map<string, Uint8Array>>;
  /** A ciphertext that this activation, or the tail that it took over, has a record of. */
  knownCiphertext(cipherHash: string): KnownCiphertext | undefined;
  onFailure(fn: (error: Error) => void): () => void;
}

/** Above this many entries that are durable but not applied, the next one waits: a slow store slows the socket down. */
const MAX_BACKLOG = 512;
const MAX_PAYLOAD_BYTES = 12 * 1024 * 1024;
const FIRST_READ_RETRY_MS = 50;
const LONGEST_READ_RETRY_MS = 1000;

interface Staged {
  content: EntryContent;
  done: PromiseWithResolvers<void>;
}

export interface ActivationOptions {
  connectionId: string;
  userId: string;
  owner: Owner;
  taken: TakenSession;
  collections: SessionCollections;
  writer: GroupWriter;
  vault: Vault;
  cache: KeyCache;
  records: RecordApplier;
  snapshotInTurn: InTurn;
  clock: Clock;
  log: Log;
  lease: Lease;
  /** how long reads and writes are repeated while the store is away */
  patienceMs: number;
  /** how long keys gather before the snapshot is written, ms; default 5,000 */
  snapshotDelayMs?: number | undefined;
}

/** Begins to apply the tail that the takeover found: `replayed` tells when that is done. */
export function createActivation(options: ActivationOptions): JournalActivation {
  const { connectionId, userId, owner, taken, writer, vault, clock, log, lease } = options;
  const collections = guardedCollections(options.collections, lease);
  const { epoch } = taken;
  const listeners = new Set<(error: Error) => void>();
  const ciphertexts = createKnownCiphertexts();
  let credentials = taken.credentials;
  let head = taken.seq;
  let staged: Staged | null = null;
  let inFlight: Staged | null = null;
  let enqueued = false;
  let failure: Error | null = null;
  let closed = false;

  const snapshot = createKeySnapshot({
    connectionId,
    keys: collections.keys,
    vault,
    cache: options.cache,
    cachePrefix: `${connectionId}@${epoch}`,
    floor: taken.floor,
    credentialsSeq: taken.credentialsSeq,
  });
  const applier = createEntryApplier({
    ...collections,
    snapshot,
    inTurn: options.snapshotInTurn,
    records: options.records,
    context: () => ({ connectionId, userId, epoch, me: credentials?.me ?? null, lease }),
    clock,
    log,
    head,
    watermark: taken.watermark,
    snapshotDelayMs: options.snapshotDelayMs,
    onRecordsApplied: (records) => ciphertexts.applied(records),
    onProgress: () => enqueue(),
    onFatal: (error) => fail(error),
  });
  for (const entry of taken.tail) {
    ciphertexts.add(entry.records);
    applier.add(entry);
  }

  function fail(error: Error): void {
    if (failure) return;
    failure = error;
    applier.stop();
    for (const listener of listeners) {
      try {
        listener(error);
      } catch (cause) {
        log.error({ connectionId, epoch, cause: (cause as Error).message }, 'a failure listener threw');
      }
    }
    for (const entry of [inFlight, staged]) entry?.done.reject(error);
  }

  function pending(): Staged {
    if (!staged) {
      staged = { content: emptyContent(), done: Promise.withResolvers<void>() };
      /* whoever needs the outcome awaits `flush`; nobody has to */
      staged.done.promise.catch(() => {});
    }
    return staged;
  }

  function enqueue(): void {
    if (!staged || inFlight || enqueued || failure || applier.backlog >= MAX_BACKLOG) return;
    enqueued = true;
    writer.enqueue({ lease, build, settle });
  }

  function build(): JournalDoc {
    enqueued = false;
    if (failure) throw failure;
    inFlight = staged;
    staged = null;
    const seq = head + 1;
    const _id = entryId(connectionId, seq);
    const payload = sealEntry(vault, _id, (inFlight as Staged).content);
    if (payload.byteLength > MAX_PAYLOAD_BYTES)
      throw new CastellanError('PAYLOAD_TOO_LARGE', 'A journal entry is too large.');
    return { _id, connectionId, seq, epoch, kind: 'commit', owner, nonce: newNonce(), payload };
  }

  function settle(error: Error | null): void {
    if (error) {
      fail(error);
      return;
    }
    const entry = inFlight as Staged;
    inFlight = null;
    head += 1;
    applier.add({ ...entry.content, seq: head });
    entry.done.resolve();
    enqueue();
  }

  function assertUsable(): void {
    if (failure) throw failure;
    if (closed) throw new CastellanError('CONNECTION_CLOSED', 'This activation is closed.');
  }

  function stage(change: StateChange): void {
    assertUsable();
    const { content } = pending();
    for (const [type, values] of Object.entries(change.keys ?? {})) {
      for (const [id, value] of Object.entries(values)) content.keys.set(keyName(type, id), value);
    }
    if (change.credentials) {
      content.credentials = change.credentials;
      credentials = change.credentials;
    }
    if (change.records) {
      content.records.push(...change.records);
      ciphertexts.add(change.records);
    }
    enqueue();
  }

  function flush(): Promise<void> {
    if (failure) return Promise.reject(failure);
    return (staged ?? inFlight)?.done.promise ?? Promise.resolve();
  }

  /** undefined = neither staged nor in flight says anything about it */
  function unwritten(name: string): Uint8Array | null | undefined {
    for (const entry of [staged, inFlight]) {
      const value = entry?.content.keys.get(name);
      if (value !== undefined) return value;
      if (entry?.content.reset) return null;
    }
    return undefined;
  }

  async function readPatiently(names: readonly string[]): Promise<Map<string, Uint8Array | null>> {
    const deadline = clock.monotonic() + options.patienceMs;
    for (let pauseMs = FIRST_READ_RETRY_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_READ_RETRY_MS)) {
      try {
        return await snapshot.read(names);
      } catch (error) {
        /* Baileys takes a failed read for a missing session and answers with a nack: the socket must be gone before */
        const final = !isErrorType(error, 'STORE_UNAVAILABLE') || clock.monotonic() >= deadline;
        if (final) fail(error as Error);
        if (failure) throw failure;
        await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
      }
    }
  }

  async function release(): Promise<void> {
    const seq = head + 1;
    const _id = entryId(connectionId, seq);
    const entry = { _id, connectionId, seq, epoch, kind: 'release', owner, nonce: newNonce(), payload: null } as const;
    await writeEntry(writer, entry, lease);
    await collections.sessions.updateOne({ _id: connectionId, epoch }, { $set: { owner: null } });
  }

  async function close({ release: planned, swift = false }: { release: boolean; swift?: boolean }): Promise<boolean> {
    if (closed) return false;
    closed = true;
    try {
      await flush();
      if (!swift) await applier.drain();
      if (!planned || failure) return false;
      await release();
      return true;
    } catch (error) {
      /* what was acknowledged is in the journal: whoever takes over finds it there */
      log.warn({ connectionId, epoch, cause: (error as Error).message }, 'activation closed without finishing');
      return false;
    } finally {
      applier.stop();
      listeners.clear();
    }
  }

  /** Records that cannot be applied for another reason than the store stay in the journal and are tried again later. */
  async function replayTail(): Promise<void> {
    try {
      await applier.applyRecords();
    } catch (error) {
      log.error({ connectionId, epoch, cause: (error as Error).message }, 'the tail of the journal is not applied yet');
      if (!isErrorType(error, 'STORE_UNAVAILABLE', 'SESSION_FENCED', 'SESSION_QUARANTINED')) return;
      await close({ release: false });
      throw error;
    }
  }

  const replayed = replayTail();
  /* told by whoever waits for it */
  replayed.catch(() => undefined);

  return {
    connectionId,
    userId,
    epoch,
    before: taken.before,
    get registered() {
      return credentials?.registered ?? false;
    },
    get credentials() {
      return credentials;
    },
    get clean() {
      return !staged && !inFlight;
    },
    stage,
    flush,
    record: (record) => stage({ records: [record] }),
    knownCiphertext: (cipherHash) => ciphertexts.get(cipherHash),
    async readKeys(type, ids) {
      assertUsable();
      const result = new Map<string, Uint8Array>();
      const below = ids.filter((id) => unwritten(keyName(type, id)) === undefined);
      const stored = await readPatiently(below.map((id) => keyName(type, id)));
      for (const id of ids) {
        const name = keyName(type, id);
        const newer = unwritten(name);
        const value = newer === undefined ? stored.get(name) : newer;
        if (value) result.set(id, value);
      }
      return result;
    },
    async resetCredentials() {
      assertUsable();
      const { content } = pending();
      content.keys.clear();
      content.credentials = undefined;
      content.reset = true;
      credentials = null;
      enqueue();
      await flush();
    },
    onFailure(fn) {
      if (failure) fn(failure);
      else listeners.add(fn);
      return () => void listeners.delete(fn);
    },
    replayed,
    close,
  };
}
