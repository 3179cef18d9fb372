import type { JournalRecord } from '../ports.ts';

/** `plaintext` while the record waits to be applied; null afterwards: then only the fact is left. */
export interface KnownCiphertext {
  plaintext: Uint8Array | null;
}

export interface KnownCiphertexts {
  add(records: readonly JournalRecord[]): void;
  applied(records: readonly JournalRecord[]): void;
  get(cipherHash: string): KnownCiphertext | undefined;
}

/** Beyond this many, applied ones are forgotten, oldest first: from then on their Message tells. */
const MAX_APPLIED = 64;

/** The ciphertexts that an activation has records of, so that a redelivery is answered and not decrypted again. */
export function createKnownCiphertexts(): KnownCiphertexts {
  const waiting = new Map<string, Uint8Array>();
  const applied = new Set<string>();

  return {
    add(records) {
      for (const record of records) if (record.kind === 'inbound') waiting.set(record.cipherHash, record.plaintext);
    },
    applied(records) {
      for (const record of records) {
        if (record.kind !== 'inbound' || !waiting.delete(record.cipherHash)) continue;
        applied.add(record.cipherHash);
        for (const oldest of applied) {
          if (applied.size <= MAX_APPLIED) break;
          applied.delete(oldest);
        }
      }
    },
    get(cipherHash) {
      const plaintext = waiting.get(cipherHash);
      if (plaintext) return { plaintext };
      return applied.has(cipherHash) ? { plaintext: null } : undefined;
    },
  };
}
