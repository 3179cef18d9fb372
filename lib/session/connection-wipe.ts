import type {
  ChatDoc,
  ConnectionDoc,
  ConnectionHistoryDoc,
  IdentityDoc,
  JobDoc,
  MessageDoc,
  RemoteAuthDoc,
  WorkerDoc,
} from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import type { SessionStore } from './ports.ts';

/**
 * Deletes what belongs to a deleted connection, its row last: a wipe that was cut short begins again. Events stay until
 * their retention ends, so that followers still learn what happened.
 */
export async function wipeConnection(
  connectionId: string,
  store: Store,
  sessions: SessionStore,
  now: number,
): Promise<void> {
  await sessions.destroy(connectionId);
  await store
    .collection<JobDoc>('jobs')
    .updateMany(
      { connectionId, jobType: 'message.send', status: { $in: ['pending', 'processing', 'parked'] } },
      { $set: { status: 'cancelled', updatedAt: now } },
    );
  await store.collection<MessageDoc>('messages').deleteMany({ connectionId });
  await store.collection<ChatDoc>('chats').deleteMany({ connectionId });
  /* by the beginning of their ids (`connectionId:...`): no index leads from a connection to its people */
  const people = { _id: { $gt: `${connectionId}:`, $lt: `${connectionId};` } };
  await store.collection<IdentityDoc>('identities').deleteMany(people);
  await store.collection<RemoteAuthDoc>('remoteAuths').deleteMany({ connectionId });
  await store.collection<ConnectionHistoryDoc>('connectionHistory').deleteMany({ connectionId });
  await store.collection<WorkerDoc>('workers').deleteMany({ connectionId });
  await store.collection<ConnectionDoc>('connections').deleteOne({ _id: connectionId, deletedAt: { $gt: 0 } });
}
