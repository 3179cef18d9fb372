import { randomBytes } from 'node:crypto';
import { systemClock } from '../../lib/clock.ts';
import type { Caller } from '../../lib/contracts/action.ts';
import type { CastellanEvent, Message, Party } from '../../lib/contracts/entities.ts';
import type { EventLog } from '../../lib/events/event-log.port.ts';
import { createEventLog } from '../../lib/events/event-log.ts';
import { newId } from '../../lib/ids.ts';
import { silentLog } from '../../lib/log.ts';
import { createMessageTurns, type MessageTurns } from '../../lib/messaging/message-turns.ts';
import { createMessaging, type Messaging } from '../../lib/messaging/messaging.ts';
import { createRecordApplier } from '../../lib/messaging/record-applier.ts';
import { baileysContentCodec } from '../../lib/session/baileys/content-codec.ts';
import type { RecordApplier, RecordContext } from '../../lib/session/ports.ts';
import type { ConnectionDoc } from '../../lib/storage/collections.ts';
import type { Store } from '../../lib/storage/port.ts';
import { createVault, type Vault } from '../../lib/storage/vault.ts';
import { temporaryStore } from './temporary-store.ts';

export const ME: Party = { id: '900@lid', lid: '900@lid', pn: '15550000900@s.whatsapp.net', name: 'Me' };
export const OWNER: Caller = { userId: 'alice', role: 'user', keyId: 'key_a' };
export const STRANGER: Caller = { userId: 'mallory', role: 'user', keyId: 'key_m' };

export interface MessagingHarness {
  store: Store;
  vault: Vault;
  events: EventLog;
  messaging: Messaging;
  applier: RecordApplier;
  turns: MessageTurns;
  connectionId: string;
  context(epoch?: number): RecordContext;
  addConnection(change?: Partial<ConnectionDoc>): Promise<string>;
  setConnection(change: Partial<ConnectionDoc>): Promise<void>;
  send(text: string, to?: string, more?: object): Promise<Message>;
  /** every event of the connection, oldest first */
  logged(): Promise<CastellanEvent<Record<string, unknown>>[]>;
  close(): Promise<void>;
}

/** The messaging layer on a real SQLite store, with one open connection of Alice's. */
export async function openMessagingHarness(): Promise<MessagingHarness> {
  const temporary = await temporaryStore();
  const { store } = temporary;
  const vault = createVault(randomBytes(32));
  const shared = { store, vault, clock: systemClock, log: silentLog };
  const events = createEventLog(shared);
  const messaging = createMessaging({ ...shared, events });
  const turns = createMessageTurns();
  const applier = createRecordApplier({ ...shared, events, turns, codec: baileysContentCodec });
  const connections = store.collection<ConnectionDoc>('connections');

  const harness: MessagingHarness = {
    store,
    vault,
    events,
    messaging,
    applier,
    turns,
    connectionId: '',
    context: (epoch = 1) => ({ connectionId: harness.connectionId, userId: OWNER.userId, epoch, me: ME }),
    async addConnection(change = {}) {
      const row = newConnection(change);
      await connections.insertOne(row);
      return row._id;
    },
    async setConnection(change) {
      await connections.updateOne({ _id: harness.connectionId }, { $set: change });
    },
    async send(text, to, more = {}) {
      const params = { connectionId: harness.connectionId, content: text, ...(to !== undefined && { to }), ...more };
      return (await messaging.send(OWNER, params)).message;
    },
    async logged() {
      const page = await events.read({ connectionId: harness.connectionId, limit: 10_000 });
      return page.items.map(({ event }) => event as CastellanEvent<Record<string, unknown>>);
    },
    close: () => temporary.remove(),
  };
  harness.connectionId = await harness.addConnection();
  return harness;
}

function newConnection(change: Partial<ConnectionDoc>): ConnectionDoc {
  return {
    _id: newId('connection'),
    userId: OWNER.userId,
    name: null,
    desiredState: 'running',
    status: 'open',
    statusReason: null,
    statusCode: null,
    restrictions: [],
    degraded: false,
    me: ME,
    worker: null,
    deviceInfo: null,
    metadata: null,
    pairing: { method: 'qr', phoneNumber: null },
    epoch: 1,
    generation: 0,
    outboxSeq: 0,
    createdAt: 1,
    updatedAt: 1,
    deletedAt: null,
    ...change,
  } as ConnectionDoc;
}
