import { type Clock, systemClock } from '../clock.ts';
import { unguardedStore } from '../cluster/guarded-store.ts';
import type { Party } from '../contracts/entities.ts';
import type { IdentityDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import { type PersonForms, personForms } from './recipients.ts';

/** Whose people these are. */
export interface IdentityScope {
  connectionId: string;
  userId: string;
}

/**
 * Who is who, for each connection: a person has a LID and a phone number, learnt at different times and from different
 * sides. The first of them that is seen (the LID, if both come together) becomes the id of the person and of its chat
 * for ever; the other one is added when it is learnt, so that filters find the chat under every known form.
 */
export interface Identities {
  /** @returns the person, made or completed in the store if anything about it is new */
  meet(scope: IdentityScope, forms: PersonForms): Promise<IdentityDoc>;
  /** @returns the person who goes by this id, or null; changes nothing */
  find(connectionId: string, id: string): Promise<IdentityDoc | null>;
  /** Every id that this one may be stored under, itself included; over all connections of a user where none is named. */
  formsOf(id: string, scope: Partial<IdentityScope>): Promise<string[]>;
}

export const IDENTITIES_COLLECTION = 'identities';
const DEFAULT_CACHE_SIZE = 20_000;
/**
 * How long half a person is believed. Another process may have learnt the other half, and with it that the person's chat
 * is another one; a whole person does not change any more.
 */
const HALF_KNOWN_MS = 2_000;
/** Chats of one number on that many connections are found without naming the connection. */
const MAX_FORMS = 500;

const shared = new WeakMap<Store, Identities>();

/** @returns the identities of this store, with the cache that the whole process shares */
export function identitiesOf(store: Store): Identities {
  const common = unguardedStore(store);
  const identities = shared.get(common) ?? createIdentities(common, systemClock);
  shared.set(common, identities);
  return identities;
}

interface Remembered {
  person: IdentityDoc;
  /** monotonic, ms */
  until: number;
}

function createIdentities(store: Store, clock: Pick<Clock, 'monotonic'>, cacheSize = DEFAULT_CACHE_SIZE): Identities {
  const identities = store.collection<IdentityDoc>(IDENTITIES_COLLECTION);
  /** by `connectionId:form`, oldest first; only what the store holds */
  const cache = new Map<string, Remembered>();

  function remember(person: IdentityDoc): IdentityDoc {
    const whole = person.lid !== null && person.pn !== null;
    const until = whole ? Number.POSITIVE_INFINITY : clock.monotonic() + HALF_KNOWN_MS;
    for (const form of [person.lid, person.pn]) {
      if (form === null) continue;
      const key = `${person.connectionId}:${form}`;
      cache.delete(key);
      cache.set(key, { person, until });
    }
    while (cache.size > cacheSize) cache.delete(cache.keys().next().value as string);
    return person;
  }

  async function stored(connectionId: string, forms: PersonForms): Promise<IdentityDoc | null> {
    const names = [
      ...(forms.lid === null ? [] : [{ lid: forms.lid, connectionId }]),
      ...(forms.pn === null ? [] : [{ pn: forms.pn, connectionId }]),
    ];
    const found = (await Promise.all(names.map((filter) => identities.find(filter, { limit: 4 })))).flat();
    // A number and a LID that were met apart and turn out to be one person: what comes from now on goes to the LID's chat.
    return found.sort(lidFirst)[0] ?? null;
  }

  async function add({ connectionId, userId }: IdentityScope, known: IdentityDoc | null, forms: PersonForms) {
    const id = known?.id ?? forms.lid ?? (forms.pn as string);
    const lid = known?.lid ?? forms.lid;
    const pn = known?.pn ?? forms.pn;
    const doc: IdentityDoc = { _id: `${connectionId}:${id}`, connectionId, userId, id, lid, pn };
    // Only what is known is set, so that two writers who know one half each complete each other.
    const names = { ...(lid === null ? {} : { lid }), ...(pn === null ? {} : { pn }) };
    const rest = { ...(lid === null ? { lid } : {}), ...(pn === null ? { pn } : {}) };
    await identities.updateOne(
      { _id: doc._id },
      { $set: names, $setOnInsert: { connectionId, userId, id, ...rest } },
      { upsert: true },
    );
    return remember(doc);
  }

  function recall(connectionId: string, form: string | null): IdentityDoc | undefined {
    const { person, until = 0 } = cache.get(`${connectionId}:${form}`) ?? {};
    return clock.monotonic() < until ? person : undefined;
  }

  function cached(connectionId: string, forms: PersonForms): IdentityDoc | undefined {
    return recall(connectionId, forms.lid) ?? recall(connectionId, forms.pn);
  }

  return {
    async meet(scope, forms) {
      const hit = cached(scope.connectionId, forms);
      if (hit && knows(hit, forms)) return hit;
      const known = await stored(scope.connectionId, forms);
      return known && knows(known, forms) ? remember(known) : add(scope, known, forms);
    },

    async find(connectionId, id) {
      const forms = personForms(id);
      if (!forms) return null;
      const known = cached(connectionId, forms);
      if (known) return known;
      const person = await stored(connectionId, forms);
      return person && remember(person);
    },

    async formsOf(id, { connectionId, userId }) {
      const forms = personForms(id);
      if (!forms) return [id];
      const scope = { ...(connectionId && { connectionId }), ...(userId && { userId }) };
      const name = forms.lid === null ? { pn: forms.pn } : { lid: forms.lid };
      const found = await identities.find({ ...name, ...scope }, { limit: MAX_FORMS });
      return [...new Set([id, ...found.flatMap((person) => [person.id, person.lid, person.pn])])].filter(
        (form) => form !== null,
      );
    },
  };
}

export function partyOf(person: IdentityDoc, name: string | null = null): Party {
  return { id: person.id, lid: person.lid, pn: person.pn, name };
}

function knows(person: IdentityDoc, forms: PersonForms): boolean {
  return (forms.lid === null || person.lid !== null) && (forms.pn === null || person.pn !== null);
}

function lidFirst(a: IdentityDoc, b: IdentityDoc): number {
  return Number(b.id === b.lid) - Number(a.id === a.lid) || (a._id < b._id ? -1 : 1);
}
