import { randomUUID } from 'node:crypto';
import type { Binary, ClientSession, Db, MongoClient } from 'mongodb';
import type { Doc } from '../port.ts';

/**
 * Who may have a transaction open. MongoDB keeps the transaction of a client that died for a minute, and with it locked
 * what it wrote: the counters of the event log, which everybody needs. So every process runs its transactions, of which
 * there is one at a time, in one session that is on record before it is used, and shows with a beat that it lives. The
 * others end the sessions of whoever stands still, and a process that starts ends those of its former self at once.
 *
 * Ending the session of a process that lives after all is safe: its transaction is aborted, and it hears of that.
 */
export interface TransactionOwner {
  readonly session: ClientSession;
  close(): Promise<void>;
}

interface OwnerDoc extends Doc {
  /** of the process, as people call it; one that starts anew has it too */
  name: string;
  /** `id` of the logical session */
  session: Binary;
  beat: number;
}

export const TRANSACTION_OWNERS = '_transactionOwners';
const BEAT_MS = 1_000;
/** how long a beat must have stood still, as far as the listener was listening */
const SILENCE_MS = 4_000;
/** after a longer gap between two looks the listener begins anew */
const LISTENING_GAP_MS = 2_500;
const PROMPT = { writeConcern: { w: 1 } } as const;

/** @param name under which the process had been started before, if it was. @throws what the driver throws */
export async function registerTransactionOwner(client: MongoClient, db: Db, name: string): Promise<TransactionOwner> {
  const owners = db.collection<OwnerDoc>(TRANSACTION_OWNERS);
  const session = client.startSession();
  const lsid = session.id?.id as Binary;
  const _id = randomUUID();
  const heard = new Map<string, { beat: number; since: number }>();
  let lookedAt = 0;
  let looking = false;
  let ended = false;

  async function end(silent: readonly OwnerDoc[]): Promise<void> {
    if (silent.length === 0) return;
    await db.command({ killSessions: silent.map((owner) => ({ id: owner.session })) });
    await owners.deleteMany({ $or: silent.map((owner) => ({ _id: owner._id, beat: owner.beat })) }, PROMPT);
  }

  /** Makes the record again when somebody took us for dead. */
  const beat = () =>
    owners.updateOne({ _id }, { $set: { name, session: lsid }, $inc: { beat: 1 } }, { upsert: true, ...PROMPT });

  async function look(): Promise<void> {
    const askedAt = performance.now();
    const found = await owners.find({ _id: { $ne: _id } }).toArray();
    if (askedAt - lookedAt > LISTENING_GAP_MS) heard.clear();
    const now = performance.now();
    lookedAt = now;
    const silent = found.filter((owner) => {
      const known = heard.get(owner._id);
      if (known?.beat === owner.beat) return askedAt - known.since > SILENCE_MS;
      heard.set(owner._id, { beat: owner.beat, since: now });
      return false;
    });
    await end(silent);
  }

  function tick(): void {
    /* the beat does not wait for the one before: a slow server makes it late, not rare */
    beat().catch(() => undefined);
    if (looking) return;
    looking = true;
    look()
      .catch(() => undefined)
      .finally(() => {
        looking = false;
      });
  }

  await end(await owners.find({ name }).toArray());
  await owners.updateOne({ _id }, { $set: { name, session: lsid, beat: 0 } }, { upsert: true });
  const timer = setInterval(tick, BEAT_MS).unref();
  return {
    session,
    async close() {
      if (ended) return;
      ended = true;
      clearInterval(timer);
      await session.endSession().catch(() => undefined);
      await owners.deleteOne({ _id }, PROMPT).catch(() => undefined);
    },
  };
}
