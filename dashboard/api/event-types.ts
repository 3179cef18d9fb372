import type { EventType } from '../../lib/contracts/entities.ts';

/** An object, so that the compiler asks for a type that was added to the contract. */
const KNOWN: Record<EventType, true> = {
  'message.received': true,
  'message.sent': true,
  'message.status': true,
  'message.edited': true,
  'message.revoked': true,
  'message.reaction': true,
  'connection.status': true,
  'connection.moved': true,
  'auth.qr': true,
  'auth.pairing_code': true,
  'auth.succeeded': true,
  'group.updated': true,
  'presence.updated': true,
  'call.received': true,
  'webhook.disabled': true,
  'webhook.test': true,
};

export const EVENT_TYPES = Object.keys(KNOWN) as EventType[];
