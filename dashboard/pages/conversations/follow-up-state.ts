import type { CastellanEvent, MessageContent, Party } from '../../../lib/contracts/entities.ts';

/** What was said about messages after they were sent: who reacted with what, which were edited, which deleted. */
export interface FollowUps {
  /** by WhatsApp's id of the message, then by who reacted */
  reactions: ReadonlyMap<string, ReadonlyMap<string, { emoji: string; name: string }>>;
  edited: ReadonlyMap<string, string>;
  revoked: ReadonlyMap<string, { by: string; at: string }>;
}

export interface FollowUpData {
  messageId: string | null;
  waMessageId: string;
  chatId: string;
  by: Party;
  content: MessageContent | null;
}

export const FOLLOW_UP_TYPES = ['message.reaction', 'message.edited', 'message.revoked'] as const;
export const NO_FOLLOW_UPS: FollowUps = { reactions: new Map(), edited: new Map(), revoked: new Map() };

export function isFollowUp(event: CastellanEvent): event is CastellanEvent<FollowUpData> {
  return (FOLLOW_UP_TYPES as readonly string[]).includes(event.type);
}

/** WhatsApp's ids are unique in a chat only. */
export function followUpKey({ chatId, waMessageId }: Pick<FollowUpData, 'chatId' | 'waMessageId'>): string {
  return `${chatId} ${waMessageId}`;
}

/** @returns the follow-ups with one more event; the same event twice changes nothing */
export function applyFollowUp(state: FollowUps, event: CastellanEvent<FollowUpData>): FollowUps {
  const { data, type, occurredAt } = event;
  const key = followUpKey(data);
  if (type === 'message.edited') return { ...state, edited: new Map(state.edited).set(key, occurredAt) };
  if (type === 'message.revoked') {
    return { ...state, revoked: new Map(state.revoked).set(key, { by: partyName(data.by), at: occurredAt }) };
  }
  if (type !== 'message.reaction' || data.content?.type !== 'reaction') return state;
  const { emoji } = data.content;
  const mine = new Map(state.reactions.get(key));
  // A person has one reaction; an empty one takes it back.
  if (emoji === '') mine.delete(data.by.id);
  else mine.set(data.by.id, { emoji, name: partyName(data.by) });
  return { ...state, reactions: new Map(state.reactions).set(key, mine) };
}

export interface ReactionCount {
  emoji: string;
  names: string[];
}

/** @returns the reactions to a message, the same ones counted together */
export function reactionsTo(state: FollowUps, message: Pick<FollowUpData, 'chatId' | 'waMessageId'>): ReactionCount[] {
  const counts = new Map<string, string[]>();
  for (const { emoji, name } of state.reactions.get(followUpKey(message))?.values() ?? []) {
    counts.set(emoji, [...(counts.get(emoji) ?? []), name]);
  }
  return [...counts].map(([emoji, names]) => ({ emoji, names }));
}

/** A person's name, else the number, else the id. */
export function partyName({ name, pn, lid, id }: Party): string {
  const number = pn?.split('@')[0];
  return name ?? (number ? `+${number}` : (lid ?? id));
}
