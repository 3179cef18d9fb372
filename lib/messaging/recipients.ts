import type { Party } from '../contracts/entities.ts';
import { CastellanError } from '../errors.ts';

/** Whom a message can go to, by WhatsApp's own id without a device: `...@s.whatsapp.net`, `...@lid` or `...@g.us`. */
export interface Recipient {
  kind: 'pn' | 'lid' | 'group';
  id: string;
}

/** E.164: a country code and 7 to 15 digits in all */
const NUMBER = '[1-9]\\d{6,14}';
const PLAIN_NUMBER = new RegExp(`^\\+?(${NUMBER})$`);
const NUMBER_ID = new RegExp(`^(${NUMBER})@(?:s\\.whatsapp\\.net|c\\.us)$`);
const LID = /^\d{1,20}@lid$/;
/** old groups are `creator-time`, newer ones one number */
const GROUP_ID = /^\d{1,20}(?:-\d{1,20})?@g\.us$/;
/** an id in a stanza: user, agent, device, server */
const STANZA_ID = /^(\d{1,20})(?:_\d+)?(?::\d+)?@(s\.whatsapp\.net|c\.us|hosted|lid|hosted\.lid)$/;
const MAX_LENGTH = 64;

export const numberId = (digits: string): string => `${digits}@s.whatsapp.net`;

/**
 * What a caller wrote as `to` or as a filter: digits with or without `+`, `...@s.whatsapp.net`, `...@c.us`, `...@lid`,
 * `...@g.us`.
 * @throws INVALID_RECIPIENT for everything else
 */
export function parseRecipient(to: unknown): Recipient {
  if (typeof to === 'string' && to.length <= MAX_LENGTH) {
    const digits = (PLAIN_NUMBER.exec(to) ?? NUMBER_ID.exec(to))?.[1];
    if (digits) return { kind: 'pn', id: numberId(digits) };
    if (LID.test(to)) return { kind: 'lid', id: to };
    if (GROUP_ID.test(to)) return { kind: 'group', id: to };
  }
  throw new CastellanError('INVALID_RECIPIENT');
}

/** @returns the person behind an id of a stanza (its device left out), or null where it names no person */
export function personOf(stanzaId: string | null | undefined): Recipient | null {
  const [, user, server] = STANZA_ID.exec(stanzaId ?? '') ?? [];
  if (!user || !server) return null;
  return server.endsWith('lid') ? { kind: 'lid', id: `${user}@lid` } : { kind: 'pn', id: numberId(user) };
}

export const isGroupId = (stanzaId: string | null | undefined): boolean => GROUP_ID.test(stanzaId ?? '');

/** Both names of a person, as far as they are known; at least one is. */
export interface PersonForms {
  lid: string | null;
  pn: string | null;
}

/** Sorts the ids that a stanza (or a caller) gives for one person; null where none of them names a person. */
export function personForms(...stanzaIds: (string | null | undefined)[]): PersonForms | null {
  const people = stanzaIds.map(personOf);
  const lid = people.find((person) => person?.kind === 'lid')?.id ?? null;
  const pn = people.find((person) => person?.kind === 'pn')?.id ?? null;
  return lid === null && pn === null ? null : { lid, pn };
}

export const groupParty = (id: string): Party => ({ id, lid: null, pn: null, name: null });

/** Whether a person or group goes by this id in any of its forms. */
export function goesBy(party: Party, id: string): boolean {
  return party.id === id || party.lid === id || party.pn === id;
}
