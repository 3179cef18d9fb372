import { OWN_USER_ID_PATTERN } from '../ids.ts';
import { type Caller, defineActions } from './action.ts';
import type { ApiKey, Page, Role, User } from './entities.ts';
import { id, oneOf, optional, type PageParams, page, text, userId } from './params.ts';

/** What each action takes and answers; `defineService` holds the service to it. */
export interface UsersActions {
  create: { params: { username: string; email: string; role?: Role; userId?: string }; result: User };
  list: { params: PageParams; result: Page<User> };
  get: { params: { userId: string }; result: User };
  update: { params: { userId: string; username?: string; email?: string; role?: Role }; result: User };
  remove: { params: { userId: string }; result: User };
  createKey: { params: { userId: string; name?: string }; result: ApiKey };
  listKeys: { params: { userId: string } & PageParams; result: Page<ApiKey> };
  revokeKey: { params: { userId: string; keyId: string }; result: ApiKey };
  authenticate: { params: { hash: string }; result: Caller | null };
}

const username = { type: 'string', min: 1, max: 64, pattern: /^[\p{L}\p{N}][\p{L}\p{N} ._@+-]*$/u } as const;
/* one @, no spaces or control characters; whether mail arrives there is not ours to know. Linear: no nested repeats */
const email = { type: 'string', min: 3, max: 254, pattern: /^[^\s@\p{Cc}]{1,64}@[^\s@\p{Cc}]{1,189}$/u } as const;
/** `create` and `list` are words of the paths beside `/user/:userId` */
const ownUserId = {
  type: 'string',
  min: 1,
  max: 64,
  pattern: new RegExp(`^(?!(?:create|list)$)${OWN_USER_ID_PATTERN.source.slice(1)}`),
} as const;
const role = oneOf(['admin', 'user']);

export const usersContract = defineActions({
  create: {
    name: 'users.create',
    summary: 'Create a user',
    rest: 'POST /user/create',
    auth: 'admin',
    params: { username, email, role: optional(role), userId: optional(ownUserId) },
    status: 201,
    result: 'User',
    errors: ['CONFLICT'],
    idempotent: true,
  },
  list: {
    name: 'users.list',
    summary: 'List users, newest first',
    rest: 'GET /user/list',
    auth: 'admin',
    params: { ...page },
    query: ['limit', 'after'],
    result: 'UserPage',
  },
  get: {
    name: 'users.get',
    summary: 'Get a user; a user may get itself',
    rest: 'GET /user/:userId',
    auth: 'user',
    params: { userId },
    result: 'User',
  },
  update: {
    name: 'users.update',
    summary: 'Change a user',
    rest: 'PATCH /user/:userId',
    auth: 'admin',
    params: { userId, username: optional(username), email: optional(email), role: optional(role) },
    result: 'User',
    errors: ['CONFLICT'],
  },
  remove: {
    name: 'users.remove',
    summary: 'Delete a user and its keys; refused while it still has connections',
    rest: 'DELETE /user/:userId',
    auth: 'admin',
    params: { userId },
    result: 'User',
    errors: ['CONFLICT'],
  },
  createKey: {
    name: 'users.createKey',
    summary: 'Create an API key; it is shown in this answer only',
    rest: 'POST /user/:userId/key/create',
    auth: 'admin',
    params: { userId, name: optional(text(1, 64)) },
    status: 201,
    result: 'ApiKey',
    idempotent: true,
  },
  listKeys: {
    name: 'users.listKeys',
    summary: 'List the API keys of a user, without the keys themselves',
    rest: 'GET /user/:userId/key/list',
    auth: 'admin',
    params: { userId, ...page },
    query: ['limit', 'after'],
    result: 'ApiKeyPage',
  },
  revokeKey: {
    name: 'users.revokeKey',
    summary: 'Revoke an API key; it stops working within 5 seconds',
    rest: 'DELETE /user/:userId/key/:keyId',
    auth: 'admin',
    params: { userId, keyId: id('key') },
    result: 'ApiKey',
  },
  authenticate: {
    name: 'users.authenticate',
    summary: 'Find out whose key this is (internal: the gateway)',
    auth: 'public',
    params: { hash: { type: 'string', pattern: /^[0-9a-f]{64}$/ } },
    result: 'Caller',
  },
});
