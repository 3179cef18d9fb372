import type { Service, ServiceSchema } from 'moleculer';
import DbService from 'moleculer-db';
import type { Page } from '../lib/contracts/entities.ts';
import { CastellanError } from '../lib/errors.ts';
import { fitPage, listByCursor } from '../lib/storage/cursor-list.ts';
import { type CollectionAdapter, createMoleculerDbAdapter } from '../lib/storage/moleculer-db-adapter.ts';
import type { Doc, Filter, Store } from '../lib/storage/port.ts';

/** Bound into every read, update and remove: `scopeFilter(caller)`; empty for an admin. */
export type Scope = Readonly<Record<string, string>>;

export interface EntityList {
  /** the client's own filters; the scope goes over them */
  filter?: Filter;
  /** default `createdAt` */
  by?: string;
  limit?: number | undefined;
  after?: string | undefined;
}

/** The entities of one collection, as a service sees them. A foreign one is not there: NOT_FOUND. */
export interface Entities<T extends Doc> {
  /** @throws DUPLICATE_KEY */
  createEntity(entity: T): Promise<T>;
  /** @throws NOT_FOUND */
  getEntity(scope: Scope, id: string): Promise<T>;
  /** Newest first. @throws BAD_REQUEST for a malformed cursor or limit */
  listEntities(scope: Scope, list?: EntityList): Promise<Page<T>>;
  /** Sets the fields of `patch`. @returns the entity after it. @throws NOT_FOUND, BAD_REQUEST for `_id` and `userId` */
  patchEntity(scope: Scope, id: string, patch: Partial<T>): Promise<T>;
  /** @returns what was removed. @throws NOT_FOUND */
  removeEntity(scope: Scope, id: string): Promise<T>;
}

/** What moleculer-db adds to a service and these methods use. */
interface DbMethods<T extends Doc> {
  adapter: CollectionAdapter<T>;
  _create(ctx: null, entity: T): Promise<T>;
  transformDocuments(ctx: null, params: object, doc: T): Promise<T>;
  entityChanged(type: string, entity: T, ctx: null, raw: T): Promise<void>;
}

const OFF = {
  find: false,
  count: false,
  list: false,
  create: false,
  insert: false,
  get: false,
  update: false,
  remove: false,
} as const;

/** A scope's values and the id are strings, never operators. */
function bound(scope: Scope, id: string): Filter {
  if (![...Object.values(scope), id].every((value) => typeof value === 'string')) {
    throw new CastellanError('BAD_REQUEST', 'An id is a string.');
  }
  if (scope._id !== undefined && scope._id !== id) throw new CastellanError('NOT_FOUND');
  return { ...scope, _id: id };
}

async function changed<T extends Doc>(db: DbMethods<T>, type: string, doc: T | null): Promise<T> {
  if (doc === null) throw new CastellanError('NOT_FOUND');
  const entity = await db.transformDocuments(null, {}, doc);
  if (type !== 'read') await db.entityChanged(type, entity, null, doc);
  return entity;
}

/**
 * Plain CRUD of one collection by moleculer-db, over the document-store port. Its eight actions are off (their queries
 * come from the caller, and `{"$ne": null}` would list every tenant) and so is the cache broadcast (nothing is cached);
 * what is left are the methods of `Entities`, each bound to a scope.
 */
export function collectionMixin<T extends Doc>(store: Store, collection: string): Partial<ServiceSchema> {
  type Self = Service & DbMethods<T>;
  return {
    mixins: [DbService as unknown as Partial<ServiceSchema>],
    adapter: createMoleculerDbAdapter<T>(store, collection),
    actions: OFF,
    methods: {
      clearCache: () => Promise.resolve(),

      createEntity(this: Self, entity: T) {
        return this._create(null, entity);
      },

      async getEntity(this: Self, scope: Scope, id: string) {
        return changed(this, 'read', await this.adapter.collection.findOne(bound(scope, id)));
      },

      async listEntities(this: Self, scope: Scope, { filter = {}, by = 'createdAt', ...page }: EntityList = {}) {
        const found = await listByCursor(this.adapter.collection, { ...page, by, filter: { ...filter, ...scope } });
        return fitPage(found, by, found.items);
      },

      async patchEntity(this: Self, scope: Scope, id: string, patch: Partial<T>) {
        if ('_id' in patch || 'userId' in patch) throw new CastellanError('BAD_REQUEST', 'An id never changes.');
        return changed(this, 'updated', await this.adapter.updateOne(bound(scope, id), { $set: patch }));
      },

      async removeEntity(this: Self, scope: Scope, id: string) {
        return changed(this, 'removed', await this.adapter.removeOne(bound(scope, id)));
      },
    },
  } as Partial<ServiceSchema>;
}

/** The methods of a service (or of `ctx.service`) that mixed a collection in. */
export function entitiesOf<T extends Doc>(service: Service): Entities<T> {
  return service as unknown as Entities<T>;
}
