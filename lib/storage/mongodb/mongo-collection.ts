import { type Document, type Collection as DriverCollection, MongoBulkWriteError } from 'mongodb';
import type { KeyedOrder } from '../../keyed-order.ts';
import { badRequest, getAt, parsePath } from '../field-path.ts';
import { type CheckedOptions, parseFilter, parseOptions } from '../filter-syntax.ts';
import type { Collection, Doc, Filter, FindOptions, Update } from '../port.ts';
import { parseUpdate } from '../update-document.ts';
import { decodeDocument, encodePath } from './bson-codec.ts';
import { filterQuery, idOf, sortOrder } from './filter-query.ts';
import { type Intent, isDuplicateKey } from './mongo-errors.ts';
import { updateOperators } from './update-operators.ts';
import { checkedDocument, documentKey, type TableSpec, upsertDocument } from './write-group.ts';

export interface CollectionParts {
  table: TableSpec;
  driver: DriverCollection<Doc>;
  order: KeyedOrder;
  /** Keeps count of what is under way, refuses after close, maps errors. */
  call<R>(collection: string, intent: Intent, run: () => Promise<R>): Promise<R>;
  /** Inserts into an ordered collection. @throws DUPLICATE_KEY */
  append(doc: Doc): Promise<void>;
}

type Stored = Document & Doc;
const UPSERT_ATTEMPTS = 5;
const DUPLICATE_KEY = 11_000;

function optionsOf(options: CheckedOptions): Document {
  return {
    ...(options.sort.length > 0 ? { sort: sortOrder(options) } : {}),
    ...(options.limit === null ? {} : { limit: options.limit }),
    ...(options.skip > 0 ? { skip: options.skip } : {}),
  };
}

/** The indexes of those that an unordered bulk write found in the way. @throws it again when anything else went wrong */
function duplicatesOf(error: unknown): Set<number> {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError()) throw error;
  const failed = [error.writeErrors].flat();
  if (failed.length === 0 || failed.some(({ code }) => code !== DUPLICATE_KEY)) throw error;
  return new Set(failed.map(({ index }) => index));
}

export function mongoCollection<T extends Doc>(parts: CollectionParts): Collection<T> {
  const { table, driver, order, append } = parts;
  const name = table.name;
  const read = <R>(run: () => Promise<R>) => parts.call(name, 'read', run);
  const inOrder = <R>(ids: readonly string[], run: () => Promise<R>) =>
    order.single(
      ids.map((id) => documentKey(name, id)),
      run,
    );
  /** Writes that name no document wait for nobody. */
  const write = <R>(id: string | null, run: () => Promise<R>) =>
    parts.call(name, 'write', () => (id === null ? run() : inOrder([id], run)));

  async function select(filter: Filter, options: FindOptions): Promise<T[]> {
    const query = filterQuery(parseFilter(filter));
    const found = await driver.find(query, optionsOf(parseOptions(options))).toArray();
    return found.map((doc) => decodeDocument<T>(doc));
  }

  const insert = async (doc: Stored): Promise<void> => {
    await driver.insertOne(doc);
  };

  /**
   * What is not there is inserted; somebody else may insert it first, and then it is there to be updated.
   * @param once updates one document. @returns its answer, or the document that was inserted; null when neither
   */
  async function upserting<R>(
    once: () => Promise<R | null>,
    fresh: Stored | null,
  ): Promise<R | { fresh: Stored } | null> {
    for (let attempt = 1; ; attempt += 1) {
      const found = await once();
      if (found !== null || fresh === null) return found;
      try {
        await insert(fresh);
        return { fresh };
      } catch (error) {
        if (attempt === UPSERT_ATTEMPTS || !isDuplicateKey(error)) throw error;
      }
    }
  }

  function compiled(filter: Filter, update: Update, upsert = false) {
    const checked = parseFilter(filter);
    const changes = parseUpdate(update);
    const fresh = upsert ? upsertDocument(table, checked, changes) : null;
    return {
      query: filterQuery(checked),
      operators: updateOperators(changes, table.indexed),
      fresh,
      id: idOf(checked) ?? fresh?._id ?? null,
    };
  }

  async function replaceNewer(docs: readonly Stored[], path: readonly string[], upsert: boolean): Promise<Set<number>> {
    const field = encodePath(path);
    const operations = docs.map((doc) => ({
      replaceOne: {
        filter: { _id: doc._id, [field]: { $not: { $gte: getAt(doc, path) } } },
        replacement: doc,
        upsert,
      },
    }));
    try {
      await driver.bulkWrite(operations as never, { ordered: false });
      return new Set();
    } catch (error) {
      return duplicatesOf(error);
    }
  }

  return {
    async insertOne(doc) {
      if (table.sequencePer !== null) return append(doc);
      const stored = checkedDocument(table, doc);
      await write(stored._id, () => insert(stored));
    },

    async insertMany(docs) {
      if (table.sequencePer !== null) {
        const outcomes = await Promise.allSettled(docs.map(append));
        return outcomes.map((outcome) => {
          if (outcome.status === 'fulfilled') return 'inserted';
          if ((outcome.reason as { type?: string }).type === 'DUPLICATE_KEY') return 'duplicate';
          throw outcome.reason;
        });
      }
      const stored = docs.map((doc) => checkedDocument(table, doc));
      if (stored.length === 0) return [];
      const ids = stored.map(({ _id }) => _id);
      const duplicates = await parts.call(name, 'write', () =>
        inOrder(ids, () => driver.insertMany(stored, { ordered: false }).then(() => new Set<number>(), duplicatesOf)),
      );
      return stored.map((_doc, index) => (duplicates.has(index) ? 'duplicate' : 'inserted'));
    },

    findOne: (filter, options = {}) => read(async () => (await select(filter, { ...options, limit: 1 }))[0] ?? null),
    find: (filter, options = {}) => read(() => select(filter, options)),
    count: (filter) => read(async () => driver.countDocuments(filterQuery(parseFilter(filter)))),

    async updateOne(filter, update, options = {}) {
      const { query, operators, fresh, id } = compiled(filter, update, options.upsert);
      const once = async () => ((await driver.updateOne(query, operators)).matchedCount > 0 ? { fresh: null } : null);
      const done = await write(id, () => upserting(once, fresh));
      return { matched: done ? 1 : 0, inserted: Boolean(done?.fresh) };
    },

    async updateMany(filter, update) {
      const { query, operators, id } = compiled(filter, update);
      return (await write(id, () => driver.updateMany(query, operators))).matchedCount;
    },

    async findOneAndUpdate(filter, update, options = {}) {
      const { query, operators, fresh, id } = compiled(filter, update, options.upsert);
      const returnDocument = options.returnBefore ? 'before' : 'after';
      const sort = options.sort ? { sort: sortOrder(parseOptions({ sort: options.sort })) } : {};
      const once = async () => {
        const found = await driver.findOneAndUpdate(query, operators, { ...sort, returnDocument });
        return found && { fresh: null, found };
      };
      const done = await write(id, () => upserting(once, fresh));
      if (done && 'found' in done) return decodeDocument<T>(done.found);
      return done && !options.returnBefore ? decodeDocument<T>(done.fresh) : null;
    },

    async deleteOne(filter) {
      const checked = parseFilter(filter);
      const result = await write(idOf(checked), () => driver.deleteOne(filterQuery(checked)));
      return result.deletedCount;
    },

    async deleteMany(filter) {
      const checked = parseFilter(filter);
      const result = await write(idOf(checked), () => driver.deleteMany(filterQuery(checked)));
      return result.deletedCount;
    },

    async replaceIfNewer(docs, field) {
      if (table.sequencePer !== null) throw badRequest('An ordered collection is only appended to.');
      const path = parsePath(field);
      const stored = docs.map((doc) => {
        if (typeof getAt(doc, path) !== 'number') throw badRequest(`${field} must be a number.`);
        return checkedDocument(table, doc);
      });
      if (stored.length === 0) return;
      const ids = stored.map(({ _id }) => _id);
      await parts.call(name, 'write', () =>
        inOrder(ids, async () => {
          const inTheWay = await replaceNewer(stored, path, true);
          /* as new or newer, or inserted by somebody else at the same moment, and then it may be older */
          const again = stored.filter((_doc, index) => inTheWay.has(index));
          if (again.length > 0) await replaceNewer(again, path, false);
        }),
      );
    },
  };
}
