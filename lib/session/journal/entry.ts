import type { Party } from '../../contracts/entities.ts';
import type { SessionKeyDoc } from '../../storage/collections.ts';
import type { Vault } from '../../storage/vault.ts';
import type { JournalRecord } from '../ports.ts';
import { decodeBinary, encodeBinary } from './binary-codec.ts';

/** Wide enough for a million entries a day over millennia; padded, so that ids sort like sequences. */
const SEQ_DIGITS = 12;

/** What a login is. `bytes` belong to whoever speaks the protocol; the journal only needs to know these two facts. */
export interface Credentials {
  bytes: Uint8Array;
  /** the pairing went through: WhatsApp knows this device */
  registered: boolean;
  me: Party | null;
}

/** One change of a session's state: all of it becomes durable, or none. */
export interface StateChange {
  /** type -> id -> value, null = deleted */
  keys?: Record<string, Record<string, Uint8Array | null>>;
  credentials?: Credentials;
  records?: readonly JournalRecord[];
}

/** The payload of a commit entry. */
export interface EntryContent {
  /** key name (see `keyName`) -> value, null = deleted */
  keys: Map<string, Uint8Array | null>;
  /** undefined = unchanged */
  credentials: Credentials | undefined;
  /** everything before this entry is void: keys and credentials start over */
  reset: boolean;
  records: JournalRecord[];
}

/** An entry that is durable. */
export interface DurableEntry extends EntryContent {
  seq: number;
}

export const entryId = (connectionId: string, seq: number) =>
  `${connectionId}:${String(seq).padStart(SEQ_DIGITS, '0')}`;

export const keyName = (type: string, id: string) => `${type}:${id}`;

/** Where credentials live among the keys; no Signal type has this name. */
export const CREDENTIALS_KEY = keyName('credentials', 'current');

export const keyDocId = (connectionId: string, name: string) => `${connectionId}:${name}`;

export function emptyContent(): EntryContent {
  return { keys: new Map(), credentials: undefined, reset: false, records: [] };
}

export function sealEntry(vault: Vault, id: string, content: EntryContent): Uint8Array {
  const { keys, credentials, reset, records } = content;
  return vault.seal(encodeBinary({ keys: [...keys], credentials, reset, records }), `journal:${id}`);
}

/** @throws SESSION_QUARANTINED */
export function openEntry(vault: Vault, id: string, seq: number, payload: Uint8Array | null): DurableEntry {
  if (payload === null) return { ...emptyContent(), seq };
  type Stored = Omit<EntryContent, 'keys'> & { keys: [string, Uint8Array | null][] };
  const stored = decodeBinary<Stored>(vault.open(payload, `journal:${id}`));
  return { ...stored, credentials: stored.credentials, keys: new Map(stored.keys), seq };
}

const keyContext = (id: string, seq: number) => `key:${id}#${seq}`;

export function sealKey(
  vault: Vault,
  connectionId: string,
  name: string,
  value: Uint8Array | null,
  seq: number,
): SessionKeyDoc {
  const _id = keyDocId(connectionId, name);
  return { _id, connectionId, value: value && vault.seal(value, keyContext(_id, seq)), seq };
}

/** @returns the value, null for a tombstone. @throws SESSION_QUARANTINED */
export function openKey(vault: Vault, doc: SessionKeyDoc): Uint8Array | null {
  return doc.value && vault.open(doc.value, keyContext(doc._id, doc.seq));
}

export const encodeCredentials = (credentials: Credentials): Uint8Array => encodeBinary(credentials);
export const decodeCredentials = (bytes: Uint8Array): Credentials => decodeBinary<Credentials>(bytes);
