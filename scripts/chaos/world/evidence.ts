import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { socketsOf } from './sockets.ts';
import type { World } from './world.ts';

const DATABASE = 'castellan';
const NEWEST_ENTRIES = 12;

/**
 * Writes down what can be seen after a promise was broken: what every process printed, what both stores say about every
 * connection, and its sockets at the witness.
 * @returns the folder
 */
export async function keepEvidence(world: World): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'castellan-evidence-'));
  for (const member of world.cluster.members) {
    await writeFile(join(folder, `${member.nodeId}.log`), member.output());
  }
  const stored = await storedState(world).catch((error: unknown) => ({ unreadable: String(error) }));
  await writeFile(join(folder, 'state.json'), JSON.stringify(stored, null, 2));
  return folder;
}

async function storedState({ cluster, lines, simulator, audit }: World) {
  const client = new MongoClient(cluster.mongoUrl, { serverSelectionTimeoutMS: 2_000 });
  const redis = new Redis(cluster.redisUrl, { maxRetriesPerRequest: 0, commandTimeout: 2_000 });
  redis.on('error', () => undefined);
  try {
    const db = client.db(DATABASE);
    const journal = db.collection('sessionJournal');
    const connections = [];
    for (const { connectionId, phone } of lines) {
      const newest = journal.find({ connectionId }, { projection: { payload: 0 } }).sort({ seq: -1 });
      connections.push({
        row: await db.collection<{ _id: string }>('connections').findOne({ _id: connectionId }),
        session: await db.collection<{ _id: string }>('sessions').findOne({ _id: connectionId }),
        journal: await newest.limit(NEWEST_ENTRIES).toArray(),
        sockets: socketsOf(simulator, phone.pn),
      });
    }
    const keys = await redis.keys('*').catch(() => []);
    const locks = await Promise.all(
      keys.map(async (key) => [key, await redis.get(key), await redis.pttl(key)]).map((one) => one.catch(String)),
    );
    return {
      witnessNow: simulator.witness.now(),
      processes: cluster.members.map(({ nodeId, pid, state }) => ({ nodeId, pid, state })),
      nodes: await db.collection('nodes').find().toArray(),
      locks,
      staleWrites: audit.staleWrites(),
      replacements: simulator.witness.sockets.replacements(),
      connections,
    };
  } finally {
    redis.disconnect();
    await client.close(true);
  }
}
