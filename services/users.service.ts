import type { ServiceSchema } from 'moleculer';
import { notFound, requireCaller } from '../lib/contracts/scope.ts';
import { type UsersActions, usersContract } from '../lib/contracts/users.contract.ts';
import type { Runtime } from '../lib/runtime.ts';
import { createApiKeys } from '../lib/users/api-keys.ts';
import { createUsers } from '../lib/users/users.ts';
import { defineService } from '../mixins/define-service.ts';

/** Users and their API keys. */
export default function usersService({ store, vault, clock }: Runtime): ServiceSchema {
  const users = createUsers(store, clock);
  const keys = createApiKeys(store, vault, clock);

  return defineService<UsersActions>({
    name: 'users',
    contract: usersContract,
    actions: {
      create: (params, ctx) => users.create(params, ctx.meta.idempotency?.reservedUlid),
      list: (page) => users.list(page),
      get({ userId }, ctx) {
        const caller = requireCaller(ctx.meta);
        if (caller.role !== 'admin' && caller.userId !== userId) throw notFound();
        return users.get(userId);
      },
      update: ({ userId, ...change }) => users.update(userId, change),
      remove: ({ userId }) => users.remove(userId),
      createKey: ({ userId, name }, ctx) => keys.create(userId, name ?? null, ctx.meta.idempotency?.reservedUlid),
      listKeys: ({ userId, ...page }) => keys.list(userId, page),
      revokeKey: ({ userId, keyId }) => keys.revoke(userId, keyId),
      authenticate: ({ hash }) => keys.authenticate(hash),
    },
  });
}
