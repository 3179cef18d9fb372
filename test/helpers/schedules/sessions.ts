import type { Clock } from '../../../lib/clock.ts';
import { newConnectionRow } from '../../../lib/connections/connection-row.ts';
import { CastellanError } from '../../../lib/errors.ts';
import { silentLog } from '../../../lib/log.ts';
import type { ConnectionDoc } from '../../../lib/storage/collections.ts';
import type { Doc, Store } from '../../../lib/storage/port.ts';
import type { Vault } from '../../../lib/storage/vault.ts';
import { createMemoryStore } from './memory-store.ts';
import type { Product } from './product.ts';

export const USER = 'usr_schedules';

/** Encryption is a third of the work of a schedule and none of its point; that the right row is opened stays checked. */
export const plainVault: Vault = {
  seal: (plaintext, context) => Buffer.concat([Buffer.from(`${context}\n`), Buffer.from(plaintext)]),
  open(sealed, context) {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    const end = bytes.indexOf(10);
    if (bytes.toString('utf8', 0, end) !== context) throw new CastellanError('SESSION_QUARANTINED');
    return bytes.subarray(end + 1);
  },
  sealJson: (value, context) => plainVault.seal(JSON.stringify(value), context),
  openJson: <T>(sealed: Uint8Array, context: string) => JSON.parse(plainVault.open(sealed, context).toString()) as T,
  keyedHash: (value) => value,
};

const SESSION_COLLECTIONS = ['sessions', 'sessionKeys', 'sessionJournal'];
const prepared = new WeakMap<Product, Map<string, Promise<[collection: string, docs: Doc[]][]>>>();
const standingClock: Clock = { now: () => 0, monotonic: () => 0, after: () => () => {} };

/** Puts connections with a login into the store, as after a pairing. */
export async function putConnections(
  store: Store,
  product: Product,
  ids: readonly string[],
  now: number,
): Promise<void> {
  for (const id of ids) {
    for (const [collection, docs] of await sessionOf(product, id)) await store.collection(collection).insertMany(docs);
    await store.collection<ConnectionDoc>('connections').insertOne(rowOf(id, now));
  }
}

function sessionOf(product: Product, id: string): Promise<[string, Doc[]][]> {
  const known = prepared.get(product) ?? new Map<string, Promise<[string, Doc[]][]>>();
  prepared.set(product, known);
  const session = known.get(id) ?? pair(product, id);
  known.set(id, session);
  return session;
}

async function pair(product: Product, id: string): Promise<[string, Doc[]][]> {
  const store = createMemoryStore();
  const sessions = product.createSessionStore({
    store,
    vault: plainVault,
    clock: standingClock,
    log: silentLog,
    applier: { apply: async () => {} },
  });
  const activation = await sessions.takeOver(id, USER, { nodeId: 'import', incarnation: 'import' });
  const me = { id: '1@s.whatsapp.net', pn: '1', lid: null, name: null };
  product.journalActivation(activation).stage({ credentials: { bytes: Buffer.from('login'), registered: true, me } });
  await activation.flush();
  await activation.close({ release: true });
  return Promise.all(
    SESSION_COLLECTIONS.map(async (name) => [name, await store.collection(name).find({})] as [string, Doc[]]),
  );
}

function rowOf(_id: string, now: number): ConnectionDoc {
  return { ...newConnectionRow(_id, USER, {}, now), status: 'stopped' };
}

/** What a person asks for through the API. */
export async function ask(
  store: Store,
  connectionId: string,
  wish: 'stop' | 'start' | 'restart',
  now: number,
): Promise<void> {
  const rows = store.collection<ConnectionDoc>('connections');
  const row = await rows.findOne({ _id: connectionId });
  if (!row) throw new CastellanError('NOT_FOUND');
  const desiredState = wish === 'stop' ? 'stopped' : 'running';
  if (wish !== 'restart' && row.desiredState === desiredState) return;
  const $set = { desiredState, generation: row.generation + 1, updatedAt: now };
  await rows.updateOne({ _id: connectionId }, { $set });
}
