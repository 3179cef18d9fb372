import type { Caller } from '../contracts/action.ts';
import { scopeFilter } from '../contracts/scope.ts';
import type { ConnectionDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import type { Identities } from './identities.ts';
import { parseRecipient, personForms } from './recipients.ts';

/** @returns the LID of a phone number's account; null where there is none, or nobody can say now. Never rejects. */
export type AskForLid = (pn: string) => Promise<string | null>;

/**
 * The id of a chat is given once: the LID where there is one. Whoever is written to for the first time is known by a
 * number only, so WhatsApp is asked before the message is stored; if it cannot be asked, the number becomes the id.
 */
export interface Introduction {
  /** @throws INVALID_RECIPIENT, STORE_UNAVAILABLE */
  introduce(caller: Caller, connectionId: string, to: string, askForLid: AskForLid): Promise<void>;
}

export function createIntroduction(store: Store, identities: Identities): Introduction {
  const connections = store.collection<ConnectionDoc>('connections');
  /** many first messages to one number are one question */
  const asking = new Map<string, Promise<void>>();

  async function ask(caller: Caller, connectionId: string, pn: string, askForLid: AskForLid): Promise<void> {
    if (await identities.find(connectionId, pn)) return;
    const open = { _id: connectionId, ...scopeFilter(caller), deletedAt: null, status: 'open' };
    const connection = await connections.findOne(open);
    const me = connection?.me;
    if (!connection || personForms(me?.pn)?.pn === pn) return;
    const lid = await askForLid(pn);
    if (lid) await identities.meet({ connectionId, userId: connection.userId }, { lid, pn });
  }

  return {
    async introduce(caller, connectionId, to, askForLid) {
      const { kind, id } = parseRecipient(to);
      if (kind !== 'pn') return;
      const key = `${caller.userId}:${connectionId}:${id}`;
      const work = asking.get(key) ?? ask(caller, connectionId, id, askForLid).finally(() => asking.delete(key));
      asking.set(key, work);
      await work;
    },
  };
}
