import {
  type AuthenticationCreds,
  type AuthenticationState,
  initAuthCreds,
  proto,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStore,
} from '@whiskeysockets/baileys';
import type { JournalActivation } from '../journal/activation.ts';
import { decodeBinary, encodeBinary } from '../journal/binary-codec.ts';
import type { JournalRecord } from '../ports.ts';
import { ownParty } from './identity.ts';

/**
 * Baileys' authentication state over a journalled activation. Values are stored as bytes and decoded anew at every read,
 * because Baileys changes some of them in place (sender-key-memory, device lists) before it knows that the work succeeds.
 */
export interface BaileysState {
  auth: AuthenticationState;
  /** The same keys for the Signal repository: a write is staged and not awaited; whoever uses it flushes. */
  stagingKeys: SignalKeyStore;
  /** Stages the credentials as they are now, if they changed. To be called on every `creds.update`. */
  saveCredentials(): void;
}

/** A pseudo type among the keys of a transaction: its values become records of the entry that the keys go into. */
const RECORDS = 'castellan-records';

/** The mutation that puts a record into the same journal entry as the other mutations of a transaction. */
export function recordMutation(id: string, record: JournalRecord): SignalDataSet {
  return { [RECORDS]: { [id]: record } } as SignalDataSet;
}

export function createBaileysState(activation: JournalActivation): BaileysState {
  const stored = activation.credentials;
  const creds = stored ? decodeBinary<AuthenticationCreds>(stored.bytes) : initAuthCreds();
  let saved: Uint8Array | null = stored?.bytes ?? null;

  function saveCredentials(): void {
    const bytes = encodeBinary(creds);
    if (saved && bytes.equals(saved)) return;
    activation.stage({
      credentials: { bytes, registered: creds.account !== undefined, me: creds.me ? ownParty(creds.me) : null },
    });
    saved = bytes;
  }

  async function get<T extends keyof SignalDataTypeMap>(type: T, ids: string[]) {
    const found: { [id: string]: SignalDataTypeMap[T] } = {};
    for (const [id, bytes] of await activation.readKeys(type, ids)) found[id] = decodeValue(type, bytes);
    return found;
  }

  function stage(data: SignalDataSet): void {
    const keys: Record<string, Record<string, Uint8Array | null>> = {};
    let records: JournalRecord[] | undefined;
    for (const [type, values] of Object.entries(data)) {
      if (type === RECORDS) records = Object.values(values as Record<string, JournalRecord>);
      else keys[type] = encodeValues(values);
    }
    activation.stage({ keys, ...(records && { records }) });
  }

  /* new credentials are durable before the first frame that shows them to anybody: the gate waits for it */
  if (!stored) saveCredentials();

  return {
    auth: {
      creds,
      keys: {
        get,
        async set(data) {
          stage(data);
          await activation.flush();
        },
      },
    },
    stagingKeys: { get, set: stage },
    saveCredentials,
  };
}

function encodeValues(values: Record<string, unknown>): Record<string, Uint8Array | null> {
  const encoded: [string, Uint8Array | null][] = Object.entries(values).map(([id, value]) => [
    id,
    value === null || value === undefined ? null : encodeBinary(value),
  ]);
  return Object.fromEntries(encoded);
}

function decodeValue<T extends keyof SignalDataTypeMap>(type: T, bytes: Uint8Array): SignalDataTypeMap[T] {
  const value = decodeBinary<SignalDataTypeMap[T]>(bytes);
  /* a protobuf message is stored as its JSON form, as Baileys' own file store does */
  if (type !== 'app-state-sync-key') return value;
  const message: unknown = proto.Message.AppStateSyncKeyData.fromObject(value as Record<string, unknown>);
  return message as SignalDataTypeMap[T];
}
