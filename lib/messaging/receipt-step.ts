import type { EventLog } from '../events/event-log.port.ts';
import type { ReceiptRecord, RecordContext } from '../session/ports.ts';
import type { MessageDoc } from '../storage/collections.ts';
import type { Write } from '../storage/port.ts';
import type { Identities } from './identities.ts';
import type { Ledger } from './ledger.ts';
import { JOBS_COLLECTION } from './message-view.ts';
import { goesBy } from './recipients.ts';
import type { RecordStep } from './record-steps.ts';
import { isMe, originOf } from './stanza-origin.ts';
import { statusOfReceipt } from './status.ts';
import { statusWrites } from './status-writes.ts';

/** `read-self` where the account hides its readings from others */
const OWN_READING: ReadonlySet<string | undefined> = new Set(['read', 'read-self']);

interface ReceiptDeps {
  events: EventLog;
  identities: Identities;
}

/**
 * A receipt moves outbound messages of its own chat forward; nobody can mark messages of another chat. In a group the
 * first member's receipt counts: `delivered` means that somebody has it, `read` that somebody read it. (All members would
 * need the list of members at the time of sending, which WhatsApp does not give to a linked device afterwards.)
 */
export async function receiptStep(
  { events, identities }: ReceiptDeps,
  { ids, attrs, at }: ReceiptRecord,
  { connectionId, me }: RecordContext,
): Promise<RecordStep | null> {
  const status = statusOfReceipt(attrs.type);
  const origin = originOf(attrs, me, null);
  const reads = origin?.fromMe === true && OWN_READING.has(attrs.type);
  if (!origin || (!status && !reads)) return null;
  const chatIds = await chatIdsOf();
  // A receipt of an own device is about the chat with oneself, or about what others sent.
  const ownChatOnly = isMe(origin.sender, me);

  async function chatIdsOf(): Promise<string[]> {
    if (!origin) return [];
    if ('group' in origin.chat) return [origin.chat.group];
    const { lid, pn } = origin.chat.person;
    const forms = [lid, pn].filter((form) => form !== null);
    const known = await Promise.all(forms.map((form) => identities.find(connectionId, form)));
    return [...new Set([...forms, ...known.flatMap((person) => (person ? [person.id] : []))])];
  }

  function isMeant(message: MessageDoc): boolean {
    if (message.direction !== 'outbound') return false;
    if (ownChatOnly && !(me && goesBy(me, message.chatId))) return false;
    return chatIds.some((id) => message.chatId === id || goesBy(message.to, id));
  }

  /** The account read these on another device; what came until then is not unread any more. */
  function stageReading(ledger: Ledger): void {
    const read = ids.flatMap((id) => ledger.byWaId(id)).filter(({ direction }) => direction === 'inbound');
    for (const chatId of chatIds) {
      const times = read.filter((message) => message.chatId === chatId).map(({ createdAt }) => createdAt);
      if (times.length > 0) ledger.chats.read(connectionId, chatId, Math.max(...times));
    }
  }

  function stage(ledger: Ledger, { epoch }: RecordContext): void {
    if (reads) stageReading(ledger);
    if (!status) return;
    for (const message of ids.flatMap((id) => ledger.byWaId(id)).filter(isMeant)) {
      const step = statusWrites(events, message, { to: status, epoch, at });
      if (step.writes.length === 0) continue;
      ledger.stage(step.writes, step.message);
      if (message.status === 'parked' && message.jobId) ledger.stage([arrivedAfterAll(message.jobId, at)]);
    }
  }

  return { needs: { messageIds: [], waMessageIds: ids }, makes: [], stage };
}

/** Nobody knew whether it had been sent; now its recipient says so. */
function arrivedAfterAll(jobId: string, at: number): Write {
  const update = { $set: { status: 'completed', updatedAt: at } };
  return { op: 'update', collection: JOBS_COLLECTION, filter: { _id: jobId, status: 'parked' }, update, expect: 'any' };
}
