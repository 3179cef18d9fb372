import type { ConnectionStatus } from '../contracts/entities.ts';
import { type NewChatPause, REACHOUT_RESTRICTION } from '../messaging/new-chat-gate.ts';
import type { ConnectionDoc } from '../storage/collections.ts';
import type { StatusChange } from './status-writer.ts';

/** What the row says of a reach-out restriction. */
export function restrictedBy(newChatPause: NewChatPause | null): Pick<ConnectionDoc, 'restrictions' | 'newChatPause'> {
  return { restrictions: newChatPause ? ['new_chats'] : [], newChatPause };
}

/** The status stays, so the event that tells of it is written here: whoever listens must learn it. */
export function restrictionWords(pause: NewChatPause | null, status: ConnectionStatus): StatusChange {
  const reason = pause
    ? `WhatsApp lets this account write to chats that it already has only; a new one is tried ${new Date(pause.until).toISOString()}.`
    : null;
  const code = pause ? REACHOUT_RESTRICTION : null;
  const data = { status, previousStatus: status, reason, ...(code !== null && { code }) };
  return { status, reason, code, events: [{ type: 'connection.status', data }] };
}
