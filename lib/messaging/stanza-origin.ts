import type { Party } from '../contracts/entities.ts';
import { goesBy, isGroupId, type PersonForms, personForms } from './recipients.ts';

/** Where a `<message>` or `<receipt>` belongs, as its attributes say. */
export interface StanzaOrigin {
  /** another device of the own account */
  fromMe: boolean;
  sender: PersonForms;
  chat: Chat;
}

export type Chat = { group: string } | { person: PersonForms };

type Attrs = Record<string, string>;

/** A broadcast list arrives in the chat with its sender; the status feed is nobody's chat. */
const BROADCAST_LIST = /^\d+@broadcast$/;

/**
 * @param copyOf the chat that a copy of an own message says it went to (`DeviceSentMessage`), if it is one
 * @returns null for what belongs to no chat: status feed, newsletters, the server itself
 */
export function originOf(attrs: Attrs, me: Party | null, copyOf: string | null): StanzaOrigin | null {
  const { from } = attrs;
  if (isGroupId(from) || BROADCAST_LIST.test(from ?? '')) {
    const sender = personForms(attrs.participant, attrs.participant_lid, attrs.participant_pn);
    if (!sender) return null;
    const chat = isGroupId(from) ? { group: from as string } : { person: sender };
    return { fromMe: isMe(sender, me), sender, chat };
  }
  const sender = personForms(from, attrs.sender_lid, attrs.sender_pn);
  if (!sender) return null;
  if (!isMe(sender, me)) return { fromMe: false, sender, chat: { person: sender } };
  const chat = chatOfCopy(attrs, copyOf ?? attrs.recipient ?? null, sender);
  return chat && { fromMe: true, sender, chat };
}

/** Without a destination it is the account's chat with itself. */
function chatOfCopy(attrs: Attrs, destination: string | null, self: PersonForms): Chat | null {
  if (destination === null) return { person: self };
  if (isGroupId(destination)) return { group: destination };
  const { recipient, recipient_lid, recipient_pn, peer_recipient_lid, peer_recipient_pn } = attrs;
  const named = personForms(destination);
  if (!named) return null;
  const alternatives = [recipient, recipient_lid, recipient_pn, peer_recipient_lid, peer_recipient_pn];
  const person = personForms(destination, ...alternatives) ?? named;
  return { person };
}

export function isMe(forms: PersonForms, me: Party | null): boolean {
  if (!me) return false;
  return [forms.lid, forms.pn].some((id) => id !== null && goesBy(me, id));
}
