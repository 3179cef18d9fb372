import type { Clock } from '../clock.ts';
import type { Page, Role, User } from '../contracts/entities.ts';
import type { PageParams } from '../contracts/params.ts';
import { CastellanError, isErrorType } from '../errors.ts';
import { reservedId } from '../ids.ts';
import type { ConnectionDoc, UserDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import { userView } from './user-view.ts';

export interface NewUser {
  username: string;
  email: string;
  role?: Role;
  userId?: string;
}

export interface UserChange {
  username?: string;
  email?: string;
  role?: Role;
}

/** The tenants. Only an admin gets here, except for `get` of oneself: the service sees to it. */
export interface Users {
  /** @throws CONFLICT when the username or the caller's own userId is taken */
  create(user: NewUser, reservedUlid?: string): Promise<User>;
  list(page: PageParams): Promise<Page<User>>;
  /** @throws NOT_FOUND */
  get(userId: string): Promise<User>;
  /** @throws NOT_FOUND, CONFLICT when the username is taken */
  update(userId: string, change: UserChange): Promise<User>;
  /** Deletes the user, its keys and webhooks. @throws NOT_FOUND, CONFLICT while it owns connections */
  remove(userId: string): Promise<User>;
}

/** The plain rows; the service gives moleculer-db's (`mixins/collection.mixin.ts`). An admin's scope is empty. */
export interface UserRows {
  /** @throws DUPLICATE_KEY */
  createEntity(user: UserDoc): Promise<UserDoc>;
  /** @throws NOT_FOUND */
  getEntity(scope: Record<string, never>, userId: string): Promise<UserDoc>;
  listEntities(scope: Record<string, never>, page: PageParams): Promise<Page<UserDoc>>;
  /** @throws NOT_FOUND, DUPLICATE_KEY */
  patchEntity(scope: Record<string, never>, userId: string, patch: Partial<UserDoc>): Promise<UserDoc>;
}

export function createUsers(rows: UserRows, store: Store, clock: Clock): Users {
  const users = store.collection<UserDoc>('users');

  async function create({ userId, username, email, role = 'user' }: NewUser, reservedUlid?: string): Promise<User> {
    const now = clock.now();
    const _id = userId ?? reservedId('user', reservedUlid);
    const doc: UserDoc = { _id, username, email, role, createdAt: now, updatedAt: now };
    try {
      return userView(await rows.createEntity(doc));
    } catch (error) {
      if (!isErrorType(error, 'DUPLICATE_KEY')) throw error;
      /* a repeat, after a crash, of a request whose row was already written */
      const mine = reservedUlid && userId === undefined ? await users.findOne({ _id }) : null;
      if (mine) return userView(mine);
      throw new CastellanError('CONFLICT', 'The username or userId is taken.');
    }
  }

  async function update(userId: string, change: UserChange): Promise<User> {
    try {
      return userView(await rows.patchEntity({}, userId, { ...change, updatedAt: clock.now() }));
    } catch (error) {
      if (isErrorType(error, 'DUPLICATE_KEY')) throw new CastellanError('CONFLICT', 'The username is taken.');
      throw error;
    }
  }

  async function remove(userId: string): Promise<User> {
    const user = await rows.getEntity({}, userId);
    const connections = await store.collection<ConnectionDoc>('connections').count({ userId, deletedAt: null });
    if (connections > 0) {
      throw new CastellanError('CONFLICT', 'The user still has connections; delete them first.', { connections });
    }
    await store.atomically([
      { op: 'delete', collection: 'users', filter: { _id: userId }, expect: 'any' },
      { op: 'delete', collection: 'apiKeys', filter: { userId }, expect: 'any' },
      { op: 'delete', collection: 'webhooks', filter: { userId }, expect: 'any' },
    ]);
    return userView(user);
  }

  return {
    create,
    async list(page) {
      const { items, next } = await rows.listEntities({}, page);
      return { items: items.map(userView), next };
    },
    get: async (userId) => userView(await rows.getEntity({}, userId)),
    update,
    remove,
  };
}
