import { setTimeout as delay } from 'node:timers/promises';
import { type ChangeStream, type ChangeStreamDocument, type Db, MongoClient } from 'mongodb';

/** What no store may show: something that an older epoch wrote after a newer one had taken over. */
export interface JournalAudit {
  /** so far, in words */
  staleWrites(): readonly string[];
  /** changes that were looked at */
  readonly seen: number;
  /** how often the store's report of changes had to begin anew: what changed meanwhile was not looked at */
  readonly gaps: number;
  /** By connection: the epoch that its session is in, which the connection's row is told a moment later. */
  epochs(): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

type WatchedChange = ChangeStreamDocument<Stamped> & { ns: { coll: string } };

interface Stamped {
  _id: string;
  connectionId?: string;
  epoch?: number;
  kind?: string;
}

const DATABASE = 'castellan';
const JOURNAL = 'sessionJournal';
const WATCHED = [JOURNAL, 'sessions', 'connections'];
const RETRY_MS = 200;
/** between two looks: a stream that waits at the server for each change would cost as much as what it watches */
const LOOK_EVERY_MS = 250;

/** Reads the store's change stream beside everybody else and compares epochs, document by document. */
export async function startJournalAudit(mongoUrl: string): Promise<JournalAudit> {
  const client = new MongoClient(mongoUrl, { serverSelectionTimeoutMS: 2_000 });
  const epochs = new Map<string, number>();
  const stale: string[] = [];
  let stream: ChangeStream | null = null;
  let seen = 0;
  let gaps = 0;
  let stopped = false;

  function look(collection: string, { _id, connectionId, epoch, kind }: Stamped): void {
    seen += 1;
    if (epoch === undefined) return;
    /* the journal has one row an entry, the others one row a connection */
    const key = collection === JOURNAL ? `${JOURNAL} ${connectionId}` : `${collection} ${_id}`;
    const before = epochs.get(key) ?? 0;
    if (epoch < before) stale.push(`${_id}: epoch ${epoch} (${kind ?? collection}) after ${before}`);
    epochs.set(key, Math.max(before, epoch));
  }

  async function follow(db: Db): Promise<void> {
    const watched = [{ $match: { 'ns.coll': { $in: WATCHED } } }];
    stream = db.watch<Stamped>(watched, { maxAwaitTimeMS: 1 });
    while (!stopped) {
      const change = (await stream.tryNext()) as WatchedChange | null;
      if (change === null) await delay(LOOK_EVERY_MS);
      const written = change && writtenOf(change);
      if (written) look(change.ns.coll, written);
    }
  }

  async function followAlways(db: Db): Promise<void> {
    while (!stopped) {
      await follow(db).catch(() => undefined);
      await stream?.close().catch(() => undefined);
      if (stopped) return;
      gaps += 1;
      await delay(RETRY_MS);
    }
  }

  await client.connect();
  const following = followAlways(client.db(DATABASE));
  return {
    staleWrites: () => stale,
    get seen() {
      return seen;
    },
    get gaps() {
      return gaps;
    },
    async epochs() {
      const sessions = await client.db(DATABASE).collection<Stamped>('sessions').find().toArray();
      return new Map(sessions.map(({ _id, epoch = 0 }) => [_id, epoch]));
    },
    async stop() {
      stopped = true;
      await client.close(true);
      await following;
    },
  };
}

/** The document of an insert, or what an update set. */
function writtenOf(change: WatchedChange): Stamped | null {
  if (change.operationType === 'insert' || change.operationType === 'replace') return change.fullDocument;
  if (change.operationType !== 'update') return null;
  return { _id: String(change.documentKey._id), ...change.updateDescription.updatedFields };
}
