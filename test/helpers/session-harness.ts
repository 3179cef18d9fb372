import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import type { JournalActivation } from '../../lib/session/journal/activation.ts';
import { createSessionStore, journalActivation } from '../../lib/session/journal/session-store.ts';
import type { JournalRecord, RecordApplier, SessionStore } from '../../lib/session/ports.ts';
import { openSqliteStore } from '../../lib/storage/sqlite/sqlite-store.ts';
import { createVault, type Vault } from '../../lib/storage/vault.ts';
import { makeUnsteady, type UnsteadyStore } from './unsteady-store.ts';

export const USER = 'usr_test';
export const NODE_A = { nodeId: 'node-a', incarnation: 'one' };
export const NODE_B = { nodeId: 'node-b', incarnation: 'two' };

export interface ProcessOptions {
  vault?: Vault;
  patienceMs?: number;
  store?: UnsteadyStore;
}

export interface SessionHarness {
  store: UnsteadyStore;
  vault: Vault;
  /** what was applied, in order; replays included */
  applied: JournalRecord[];
  /** replaced by tests that need a failing one */
  applier: RecordApplier;
  /** A session store of its own, as another process would have: nothing but the store is shared. */
  process(options?: ProcessOptions): SessionStore;
  takeOver(connectionId: string, options?: ProcessOptions): Promise<JournalActivation>;
  /** Another process' way to the same store, with faults of its own. */
  connect(): UnsteadyStore;
  close(): Promise<void>;
}

/** Session stores on one real SQLite file. */
export async function openSessionHarness(): Promise<SessionHarness> {
  const directory = mkdtempSync(join(tmpdir(), 'castellan-session-'));
  const sqlite = await openSqliteStore({ path: join(directory, 'store.db') });
  const store = makeUnsteady(sqlite);
  const vault = createVault(randomBytes(32));
  const applied: JournalRecord[] = [];
  const opened: JournalActivation[] = [];
  const harness: SessionHarness = {
    store,
    vault,
    applied,
    applier: { apply: async (records) => void applied.push(...records) },
    process: (options = {}) =>
      createSessionStore({
        store: options.store ?? store,
        vault: options.vault ?? vault,
        clock: systemClock,
        log: silentLog,
        applier: { apply: (records, context) => harness.applier.apply(records, context) },
        patienceMs: options.patienceMs ?? 2_000,
      }),
    connect: () => makeUnsteady(sqlite),
    async takeOver(connectionId, options) {
      const activation = await harness.process(options).takeOver(connectionId, USER, NODE_A);
      opened.push(journalActivation(activation));
      return journalActivation(activation);
    },
    async close() {
      store.fault = () => 'none';
      store.latencyMs = 0;
      for (const activation of opened) await activation.close({ release: false });
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return harness;
}

export const bytes = (text: string) => Buffer.from(text);

export function inbound(id: string): JournalRecord {
  return { kind: 'inbound', cipherHash: `hash-${id}`, plaintext: bytes(`text-${id}`), attrs: { id }, at: 1 };
}

/** Reads one key as text. */
export async function readText(activation: JournalActivation, type: string, id: string): Promise<string | null> {
  const value = (await activation.readKeys(type, [id])).get(id);
  return value ? Buffer.from(value).toString() : null;
}
