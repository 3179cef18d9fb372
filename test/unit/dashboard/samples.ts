import type { CastellanEvent, Delivery, EventType, Message } from '../../../lib/contracts/entities.ts';

const AT = '2026-08-20T10:00:00.000Z';
export const ADA = { id: '1@lid', lid: '1@lid', pn: '15550001111@s.whatsapp.net', name: 'Ada' };
export const GRACE = { id: '2@lid', lid: '2@lid', pn: '15552223333@s.whatsapp.net', name: 'Grace' };

export function message(messageId: string, fields: Partial<Message> = {}): Message {
  const outbound = fields.direction === 'outbound';
  return {
    messageId,
    connectionId: 'con_1',
    userId: 'usr_1',
    direction: 'inbound',
    source: outbound ? 'api' : null,
    chatId: GRACE.id,
    from: outbound ? ADA : GRACE,
    to: outbound ? GRACE : ADA,
    content: { type: 'text', text: `text of ${messageId}` },
    status: outbound ? 'queued' : 'delivered',
    error: null,
    waMessageId: `wa-${messageId}`,
    jobId: null,
    timestamp: AT,
    createdAt: AT,
    updatedAt: AT,
    ...fields,
  };
}

let seq = 0;

export function event<D>(type: EventType, data: D, fields: Partial<CastellanEvent> = {}): CastellanEvent<D> {
  seq += 1;
  return {
    eventId: `evt_${String(seq).padStart(6, '0')}`,
    type,
    connectionId: 'con_1',
    userId: 'usr_1',
    seq,
    epoch: 1,
    occurredAt: AT,
    ...fields,
    data,
  };
}

export function delivery(deliveryId: string, fields: Partial<Delivery> = {}): Delivery {
  return {
    deliveryId,
    webhookId: 'whk_1',
    eventId: 'evt_1',
    eventType: 'message.received',
    status: 'pending',
    attempts: [],
    nextAttemptAt: null,
    createdAt: AT,
    ...fields,
  };
}
