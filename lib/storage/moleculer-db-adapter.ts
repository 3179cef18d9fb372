import type { DbAdapter } from 'moleculer-db';
import { badRequest, isPlainObject } from './field-path.ts';
import type { Collection, Doc, Filter, FindOptions, Sort, Store, Update } from './port.ts';

/** What moleculer-db calls, plus the operations by filter that a scope needs. */
export interface CollectionAdapter<T extends Doc> extends DbAdapter {
  readonly collection: Collection<T>;
  updateOne(filter: Filter, update: Update): Promise<T | null>;
  removeOne(filter: Filter): Promise<T | null>;
}

interface Query {
  query?: object;
  sort?: string | readonly string[];
  limit?: number | string | null;
  offset?: number | string | null;
  search?: string;
}

function sortOf(sort: Query['sort']): Sort {
  const fields = typeof sort === 'string' ? sort.split(/[,\s]+/) : (sort ?? []);
  return fields.filter(Boolean).map((field) => (field.startsWith('-') ? [field.slice(1), -1] : [field, 1]));
}

function filterOf({ query, search }: Query): Filter {
  if (search) throw badRequest('This collection cannot be searched.');
  return (query ?? {}) as Filter;
}

function optionsOf({ sort, limit, offset }: Query): FindOptions {
  return {
    sort: sortOf(sort),
    ...(limit ? { limit: Number(limit) } : {}),
    ...(offset ? { skip: Number(offset) } : {}),
  };
}

/**
 * The moleculer-db adapter over the document-store port: one for every collection and both stores. A plain object of
 * closures, because Moleculer deep-clones schemas: a class instance with private fields would come out broken.
 * It neither opens nor closes the store; that is the runtime's.
 */
export function createMoleculerDbAdapter<T extends Doc>(store: Store, name: string): CollectionAdapter<T> {
  const collection = store.collection<T>(name);
  const byId = (id: unknown): Filter => {
    if (typeof id !== 'string') throw badRequest('An id is a string.');
    return { _id: id };
  };

  async function updateOne(filter: Filter, update: Update): Promise<T | null> {
    return await collection.findOneAndUpdate(filter, update);
  }

  /** Reads, then deletes what was read: of two at once only one gets the document. */
  async function removeOne(filter: Filter): Promise<T | null> {
    const doc = await collection.findOne(filter);
    return doc && (await collection.deleteOne({ ...filter, _id: doc._id })) === 1 ? doc : null;
  }

  async function insert(entity: object): Promise<object> {
    await collection.insertOne(entity as T);
    return entity;
  }

  /** All or none: moleculer-db has no answer for "some". */
  async function insertMany(entities: object): Promise<object[]> {
    const docs = entities as T[];
    await store.atomically(docs.map((doc) => ({ op: 'insert', collection: name, doc })));
    return docs;
  }

  function renameId(entity: object, from: string, to: string): object {
    if (from === to || !isPlainObject(entity) || !(from in entity)) return entity;
    const { [from]: id, ...rest } = entity;
    return { [to]: id, ...rest };
  }

  const adapter = {
    collection,
    updateOne,
    removeOne,
    init: () => undefined,
    connect: () => store.ping(),
    disconnect: async () => undefined,
    find: async (query: object) => collection.find(filterOf(query as Query), optionsOf(query as Query)),
    findOne: (query: object) => collection.findOne(query as Filter),
    findById: async (id: unknown) => collection.findOne(byId(id)),
    findByIds: (ids: (string | number)[]) => collection.find({ _id: { $in: ids } }),
    count: async (query: object = {}) => collection.count(filterOf(query as Query)),
    insert,
    insertMany,
    updateMany: (query: object, update: object) => collection.updateMany(query as Filter, update as Update),
    updateById: async (id: unknown, update: object) => updateOne(byId(id), update as Update),
    removeMany: (query: object) => collection.deleteMany(query as Filter),
    removeById: async (id: unknown) => removeOne(byId(id)),
    clear: async () => void (await collection.deleteMany({})),
    createCursor: async (query: object) => collection.find(filterOf(query as Query), optionsOf(query as Query)),
    entityToObject: (entity: unknown) => entity as object,
    beforeSaveTransformID: (entity: object, idField: string) => renameId(entity, idField, '_id'),
    afterRetrieveTransformID: (entity: object, idField: string) => renameId(entity, '_id', idField),
  };
  // moleculer-db's types leave out that nothing found is null
  return adapter as unknown as CollectionAdapter<T>;
}
