import type { CastellanEvent, Message, MessageContent, Party, RemoteAuth } from '../../../lib/contracts/entities.ts';
import { previewOf } from '../conversations/content-view.ts';
import { partyName } from '../conversations/follow-up-state.ts';

type Data = Record<string, unknown>;
type Words = (data: Data) => string;

const WORDS: Readonly<Record<string, Words>> = {
  'message.received': (data) => `${partyName(messageOf(data).from)}: ${previewOf(messageOf(data).content)}`,
  'message.sent': (data) => `to ${partyName(messageOf(data).to)}: ${previewOf(messageOf(data).content)}`,
  'message.status': ({ messageId, previousStatus, status }) => `${messageId}: ${step(previousStatus, status)}`,
  'message.edited': (data) => `${by(data)} edited a message: ${previewOf(data.content as MessageContent)}`,
  'message.revoked': (data) => `${by(data)} deleted a message`,
  'message.reaction': (data) => `${by(data)}: ${previewOf(data.content as MessageContent)}`,
  'connection.status': ({ previousStatus, status, reason }) =>
    [step(previousStatus, status), reason].filter(Boolean).join(': '),
  'connection.moved': ({ fromNode, toNode, cause }) => `${fromNode ?? 'nowhere'} → ${toNode ?? 'nowhere'} (${cause})`,
  'auth.qr': (data) => `QR code ${authOf(data).authState}`,
  'auth.pairing_code': (data) => `pairing code ${authOf(data).authState}`,
  'auth.succeeded': () => 'paired',
  'webhook.disabled': ({ url, reason }) => `${url}: ${reason}`,
  'webhook.test': ({ webhookId }) => String(webhookId),
};

/** @returns an event in a line for people; empty for types that this page does not know and data of another shape */
export function summaryOf({ type, data }: CastellanEvent): string {
  const words = Object.hasOwn(WORDS, type) ? WORDS[type] : undefined;
  try {
    return words?.(data as Data) ?? '';
  } catch {
    return '';
  }
}

const messageOf = (data: Data): Message => data.message as Message;
const authOf = (data: Data): RemoteAuth => data.auth as RemoteAuth;
const by = (data: Data): string => partyName(data.by as Party);
const step = (from: unknown, to: unknown): string => (from ? `${from} → ${to}` : String(to));
