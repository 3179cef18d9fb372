/**
 * The document-store port. Two adapters implement it (SQLite, MongoDB) and one conformance suite holds both to it. The
 * language is the small part of MongoDB's that both can do exactly; anything outside it is a type error, and at run
 * time a BAD_REQUEST, never an unfiltered query.
 */

export type Scalar = string | number | boolean | null;

/** Condition on one field (dotted paths reach into objects; an array field matches when one element does). */
export type Condition =
  | Scalar
  | {
      $eq?: Scalar;
      $ne?: Scalar;
      $in?: readonly Scalar[];
      $nin?: readonly Scalar[];
      $gt?: string | number;
      $gte?: string | number;
      $lt?: string | number;
      $lte?: string | number;
      $exists?: boolean;
    };

/**
 * All conditions hold (and). `$or` holds when one of its filters does. The empty filter matches everything; a field that
 * is present but `undefined` is a BAD_REQUEST, because leaving it out would match more than the caller meant.
 *
 * Types never mix (`'1'` neither equals nor compares with `1`). `null` matches null and missing; `$ne` and `$nin` match
 * what `$eq` and `$in` do not, missing fields included.
 */
export type Filter = {
  readonly [field: string]: Condition | readonly Filter[] | undefined;
  readonly $or?: readonly Filter[];
};

export type Sort = readonly (readonly [field: string, direction: 1 | -1])[];

export interface Update {
  $set?: Record<string, unknown>;
  /** only when an upsert inserts */
  $setOnInsert?: Record<string, unknown>;
  $unset?: readonly string[];
  $inc?: Record<string, number>;
  $max?: Record<string, number>;
  $push?: Record<string, unknown>;
}

/** A document: JSON values plus `Uint8Array` (kept as bytes). `undefined` fields are left out. `_id` is a string. */
export interface Doc {
  _id: string;
}

export interface FindOptions {
  sort?: Sort;
  limit?: number;
  skip?: number;
}

export interface Collection<T extends Doc> {
  /** @throws DUPLICATE_KEY (`data: {collection, keys}`) */
  insertOne(doc: T): Promise<void>;
  /**
   * Unordered: every document is tried on its own, one round trip, one durable commit. Resolves with the outcome of
   * each, in the order given. Throws only when the outcome of any is unknown (store down).
   */
  insertMany(docs: readonly T[]): Promise<('inserted' | 'duplicate')[]>;
  findOne(filter: Filter, options?: Pick<FindOptions, 'sort'>): Promise<T | null>;
  find(filter: Filter, options?: FindOptions): Promise<T[]>;
  count(filter: Filter): Promise<number>;
  /** @returns how many matched (0 or 1; with upsert: 1) and whether it was inserted. */
  updateOne(
    filter: Filter,
    update: Update,
    options?: { upsert?: boolean },
  ): Promise<{ matched: number; inserted: boolean }>;
  updateMany(filter: Filter, update: Update): Promise<number>;
  /** @returns the document after the update (before: `returnBefore`), or null when none matched. */
  findOneAndUpdate(
    filter: Filter,
    update: Update,
    options?: { upsert?: boolean; sort?: Sort; returnBefore?: boolean },
  ): Promise<T | null>;
  deleteOne(filter: Filter): Promise<number>;
  deleteMany(filter: Filter): Promise<number>;
  /**
   * Unordered upserts in one round trip: writes `doc` where no document with its `_id` exists or where the stored one's
   * `field` is smaller than the new one's. The snapshot writer's guard (`seq < n`).
   */
  replaceIfNewer(docs: readonly T[], field: keyof T & string): Promise<void>;
}

/**
 * One write of an atomic group. An update or delete takes every document that matches. `expect` (default 1 for updates,
 * 'any' for deletes) is how many must match, an upsert's insert counted; otherwise nothing of the group is written.
 */
export type Write =
  | { op: 'insert'; collection: string; doc: Doc }
  | { op: 'update'; collection: string; filter: Filter; update: Update; upsert?: boolean; expect?: number | 'any' }
  | { op: 'delete'; collection: string; filter: Filter; expect?: number | 'any' };

export interface Store {
  collection<T extends Doc>(name: string): Collection<T>;
  /**
   * All of the writes or none, durable when it resolves.
   * @throws DUPLICATE_KEY, or CONDITION_FAILED with `data: {index}` of the write whose `expect` was not met
   */
  atomically(writes: readonly Write[]): Promise<void>;
  /** Resolves when the store answers. @throws STORE_UNAVAILABLE */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface IndexSpec {
  fields: readonly (readonly [field: string, direction: 1 | -1])[];
  unique?: boolean;
  /** partial index: only documents in which this field exists and is not null */
  whereExists?: string;
}

/**
 * What a collection needs. `ordered` collections are append-only logs: at commit each document is given `position`
 * (global, in commit order: a reader that saw position n never finds a smaller one later) and `seq` (1, 2, 3, ... per
 * value of `sequencePer`, 0 where that is null).
 *
 * A field that an index covers holds a scalar or nothing; a list, an object or bytes there is a BAD_REQUEST. In a unique
 * index null and missing are values like any other (two documents without the field collide), except where `whereExists`
 * leaves them out.
 */
export interface CollectionSpec {
  name: string;
  indexes: readonly IndexSpec[];
  ordered?: { sequencePer: string };
}
