import { randomBytes } from 'node:crypto';
import { guardCollection } from '../../cluster/guarded-store.ts';
import type { Lease } from '../../cluster/lease.port.ts';
import type { Owner } from '../../cluster/membership.port.ts';
import type { SessionHead } from '../../cluster/ownership.ts';
import { CastellanError, isErrorType } from '../../errors.ts';
import type { JournalDoc, SessionDoc, SessionKeyDoc } from '../../storage/collections.ts';
import type { Collection } from '../../storage/port.ts';
import type { Vault } from '../../storage/vault.ts';

import {
  CREDENTIALS_KEY,
  type Credentials,
  type DurableEntry,
  decodeCredentials,
  entryId,
  keyDocId,
  openEntry,
  openKey,
} from './entry.ts';
import type { GroupWriter } from './group-writer.ts';

export interface SessionCollections {
  sessions: Collection<SessionDoc>;
  keys: Collection<SessionKeyDoc>;
  journal: Collection<JournalDoc>;
}

/** What a takeover found: the state of the session as of the takeover entry. */
export interface TakenSession {
  /** what the takeover followed */
  before: SessionHead | null;
  epoch: number;
  /** sequence of the takeover entry */
  seq: number;
  watermark: number;
  floor: number;
  credentialsSeq: number;
  credentials: Credentials | null;
  /** entries after the watermark, in order, up to and including the takeover itself */
  tail: DurableEntry[];
}

export function guardedCollections({ sessions, keys, journal }: SessionCollections, lease: Lease): SessionCollections {
  return {
    sessions: guardCollection(sessions, lease),
    keys: guardCollection(keys, lease),
    journal: guardCollection(journal, lease),
  };
}

interface Stored {
  row: SessionDoc | null;
  tail: JournalDoc[];
  credentialsDoc: SessionKeyDoc | null;
}

const TAIL_READS = 5;

export const newNonce = () => randomBytes(12).toString('base64url');

/** Writes one entry and resolves when it is durable. @throws SESSION_FENCED, STORE_UNAVAILABLE */
export function writeEntry(writer: GroupWriter, doc: JournalDoc, lease: Lease): Promise<void> {
  return new Promise((resolve, reject) => {
    writer.enqueue({ lease, build: () => doc, settle: (error) => (error ? reject(error) : resolve()) });
  });
}

/**
 * The takeover protocol. First a look whether the state can be read at all, so that a wrong key changes nothing. Then the
 * takeover's entry becomes durable, which fences every earlier owner; then the epoch is stamped on the session row, which
 * stops its watermark; only then watermark, tail and keys are read, in this order, so that whatever an earlier owner
 * still does in the background is either complete in the keys or still in the tail.
 *
 * A collision means that somebody else wrote in between: the caller must look at its guards again before it starts over,
 * so it is not repeated here.
 *
 * @throws SESSION_QUARANTINED, SESSION_FENCED, STORE_UNAVAILABLE
 */
export async function takeOverSession(
  collections: SessionCollections,
  writer: GroupWriter,
  vault: Vault,
  claim: { connectionId: string; userId: string; owner: Owner; head?: SessionHead | null; lease: Lease },
): Promise<TakenSession> {
  const { connectionId, userId, owner, lease } = claim;
  const { sessions, journal } = collections;
  const head = claim.head === undefined ? await readHead(journal, connectionId) : claim.head;
  const before = await readStored(collections, connectionId);
  openStored(vault, before);

  const seq = (head?.seq ?? 0) + 1;
  const epoch = Math.max(head?.epoch ?? 0, before.row?.epoch ?? 0) + 1;
  const _id = entryId(connectionId, seq);
  const entry = { _id, connectionId, seq, epoch, kind: 'takeover', owner, nonce: newNonce(), payload: null } as const;
  await writeEntry(writer, entry, lease);

  await stampEpoch(guardCollection(sessions, lease), { _id: connectionId, userId, epoch, owner, watermark: 0 });
  const stored = await readContiguous(collections, connectionId, seq);
  return { epoch, seq, before: head, ...openStored(vault, stored) };
}

/** @returns the newest entry; null = there is none. @throws STORE_UNAVAILABLE */
export async function readHead(journal: Collection<JournalDoc>, connectionId: string): Promise<SessionHead | null> {
  const newest = await journal.findOne({ connectionId }, { sort: [['seq', -1]] });
  return newest && { seq: newest.seq, epoch: newest.epoch, owner: newest.owner, released: newest.kind === 'release' };
}

async function stampEpoch(sessions: Collection<SessionDoc>, row: SessionDoc): Promise<void> {
  const { _id, epoch, owner, userId } = row;
  const stamp = () => sessions.updateOne({ _id, epoch: { $lte: epoch } }, { $set: { epoch, owner, userId } });
  if ((await stamp()).matched > 0) return;
  try {
    await sessions.insertOne(row);
  } catch (error) {
    if (!isErrorType(error, 'DUPLICATE_KEY')) throw error;
    if ((await stamp()).matched === 0) throw new CastellanError('SESSION_FENCED');
  }
}

async function readContiguous(collections: SessionCollections, connectionId: string, seq: number): Promise<Stored> {
  for (let attempt = 0; attempt < TAIL_READS; attempt++) {
    const stored = await readStored(collections, connectionId);
    if (stored.row && isContiguous(stored.tail, stored.row.watermark, seq)) return stored;
    if ((stored.tail.at(-1)?.seq ?? 0) > seq) throw new CastellanError('SESSION_FENCED');
  }
  throw new CastellanError('STORE_UNAVAILABLE', 'The journal of this session has a gap.');
}

function isContiguous(tail: readonly JournalDoc[], watermark: number, last: number): boolean {
  return tail.length === last - watermark && tail.every((entry, index) => entry.seq === watermark + 1 + index);
}

async function readStored(collections: SessionCollections, connectionId: string): Promise<Stored> {
  const row = await collections.sessions.findOne({ _id: connectionId });
  const after = { connectionId, seq: { $gt: row?.watermark ?? 0 } };
  const tail = await collections.journal.find(after, { sort: [['seq', 1]] });
  const credentialsDoc = await collections.keys.findOne({ _id: keyDocId(connectionId, CREDENTIALS_KEY) });
  return { row, tail, credentialsDoc };
}

/** @throws SESSION_QUARANTINED when anything cannot be opened, or when credentials that were stored are gone */
function openStored(
  vault: Vault,
  { row, tail, credentialsDoc }: Stored,
): Omit<TakenSession, 'epoch' | 'seq' | 'before'> {
  const entries = tail.map((doc) => openEntry(vault, doc._id, doc.seq, doc.payload));
  const floor = Math.max(row?.floor ?? 0, ...entries.filter(({ reset }) => reset).map(({ seq }) => seq));
  const credentialsSeq = row?.credentialsSeq ?? 0;
  const newest = entries.findLast((entry) => entry.credentials !== undefined && entry.seq >= floor)?.credentials;
  const credentials = newest ?? openCredentials(vault, credentialsDoc, floor);
  if (!credentials && credentialsSeq > floor) {
    throw new CastellanError('SESSION_QUARANTINED', 'The stored credentials of this session are missing.');
  }
  return { watermark: row?.watermark ?? 0, floor, credentialsSeq, credentials: credentials ?? null, tail: entries };
}

function openCredentials(vault: Vault, doc: SessionKeyDoc | null, floor: number): Credentials | null {
  const bytes = doc && doc.seq >= floor ? openKey(vault, doc) : null;
  return bytes && decodeCredentials(bytes);
}
