import { type Contact, jidNormalizedUser } from '@whiskeysockets/baileys';
import type { Party } from '../../contracts/entities.ts';

/** @returns the account's own person, by its LID where it has one */
export function ownParty(me: Contact | undefined): Party {
  const pn = me?.id ? jidNormalizedUser(me.id) : null;
  const lid = me?.lid ? jidNormalizedUser(me.lid) : null;
  const name = me?.name && me.name !== UNNAMED ? me.name : null;
  return { id: lid ?? pn ?? '', lid, pn, name };
}

/** what Baileys writes while a pairing by code has no name yet */
const UNNAMED = '~';
