import { type ChangeStream, type ChangeStreamDocument, type Db, MongoClient } from 'mongodb';

/** What no store may show: something that an older epoch wrote after a newer one had taken over. */
export interface JournalAudit {
  /** so far, in words */
  staleWrites(): readonly string[];
  /** changes that were looked at */
  readonly seen: number;
  /** how often the store's report of changes had to begin anew: what changed meanwhile was not looked at */
  readonly gaps: number;
  stop(): Promise<void>;
}

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

/** Reads the store's change stream beside everybody else and compares epochs, document by document. */
export async function startJournalAudit(mongoUrl: string): Promise<JournalAudit> {
  const client = new MongoClient(mongoUrl, { serverSelectionTimeoutMS: 2_000 });
  const epochs = new Map<string, number>();
  const stale: string[] = [];
  const streams = new Set<ChangeStream>();
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

  async function follow(db: Db, collection: string): Promise<void> {
    const stream = db.collection<Stamped>(collection).watch<Stamped>();
    streams.add(stream);
    try {
      for await (const change of stream) {
        const written = writtenOf(change as ChangeStreamDocument<Stamped>);
        if (written) look(collection, written);
      }
    } finally {
      streams.delete(stream);
    }
  }

  async function followAlways(db: Db, collection: string): Promise<void> {
    while (!stopped) {
      await follow(db, collection).catch(() => undefined);
      if (stopped) return;
      gaps += 1;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  await client.connect();
  const db = client.db(DATABASE);
  const following = WATCHED.map((collection) => followAlways(db, collection));
  return {
    staleWrites: () => stale,
    get seen() {
      return seen;
    },
    get gaps() {
      return gaps;
    },
    async stop() {
      stopped = true;
      await Promise.all([...streams].map((stream) => stream.close().catch(() => undefined)));
      await client.close(true);
      await Promise.all(following);
    },
  };
}

/** The document of an insert, or what an update set. */
function writtenOf(change: ChangeStreamDocument<Stamped>): Stamped | null {
  if (change.operationType === 'insert' || change.operationType === 'replace') return change.fullDocument;
  if (change.operationType !== 'update') return null;
  return { _id: String(change.documentKey._id), ...change.updateDescription.updatedFields };
}
