import type { Service, ServiceSchema } from 'moleculer';
import { notFound, requireCaller } from '../lib/contracts/scope.ts';
import { type UsersActions, usersContract } from '../lib/contracts/users.contract.ts';
import type { Runtime } from '../lib/runtime.ts';
import type { UserDoc } from '../lib/storage/collections.ts';
import { createApiKeys } from '../lib/users/api-keys.ts';
import { createUsers } from '../lib/users/users.ts';
import { collectionMixin, entitiesOf } from '../mixins/collection.mixin.ts';
import { type CallContext, defineService } from '../mixins/define-service.ts';

/** Users and their API keys. */
export default function usersService({ store, vault, clock }: Runtime): ServiceSchema {
  const keys = createApiKeys(store, vault, clock);

  /** The rows are methods of the running service, so they come with the call. */
  const usersOf = ({ service }: CallContext) => createUsers(entitiesOf<UserDoc>(service as Service), store, clock);

  return defineService<UsersActions>({
    name: 'users',
    mixins: [collectionMixin<UserDoc>(store, 'users')],
    contract: usersContract,
    actions: {
      create: (params, ctx) => usersOf(ctx).create(params, ctx.meta.idempotency?.reservedUlid),
      list: (page, ctx) => usersOf(ctx).list(page),
      get({ userId }, ctx) {
        const caller = requireCaller(ctx.meta);
        if (caller.role !== 'admin' && caller.userId !== userId) throw notFound();
        return usersOf(ctx).get(userId);
      },
      update: ({ userId, ...change }, ctx) => usersOf(ctx).update(userId, change),
      remove: ({ userId }, ctx) => usersOf(ctx).remove(userId),
      createKey: ({ userId, name }, ctx) => keys.create(userId, name ?? null, ctx.meta.idempotency?.reservedUlid),
      listKeys: ({ userId, ...page }) => keys.list(userId, page),
      revokeKey: ({ userId, keyId }) => keys.revoke(userId, keyId),
      authenticate: ({ hash }) => keys.authenticate(hash),
    },
  });
}
