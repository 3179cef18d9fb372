import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Context, type Service, ServiceBroker, type ServiceSchema } from 'moleculer';
import type { DbAdapter } from 'moleculer-db';
import { COLLECTIONS, type ConnectionDoc } from '../../../lib/storage/collections.ts';
import { collectionMixin, type Entities, entitiesOf } from '../../../mixins/collection.mixin.ts';
import { type RunningServer, startMongo } from '../../../scripts/servers/index.ts';
import { temporaryMongoStore } from '../../helpers/temporary-mongo-store.ts';
import { type TemporaryStore, temporaryStore } from '../../helpers/temporary-store.ts';
import { ids, rejection } from './conformance-kit.ts';

type Row = Pick<ConnectionDoc, '_id' | 'userId' | 'name' | 'createdAt'>;

const MINE = { userId: 'mine' };
const ADMIN = {};
const row = (_id: string, userId: string, createdAt = 1): Row => ({ _id, userId, name: null, createdAt });

/** the others would only be made and dropped again */
const CONNECTIONS = COLLECTIONS.filter(({ name }) => name === 'connections');

let opened: TemporaryStore;
let broker: ServiceBroker;
let service: Service;
let entities: Entities<Row>;
let broadcasts: string[];

let server: RunningServer;
beforeAll(async () => {
  server = await startMongo();
});
afterAll(() => server.stop());

describe.each([
  ['SQLite', temporaryStore],
  ['MongoDB', () => temporaryMongoStore(server.url, CONNECTIONS)],
] as const)('a collection of %s by moleculer-db', (_name, openStore: () => Promise<TemporaryStore>) => {
  beforeEach(async () => {
    opened = await openStore();
    broker = new ServiceBroker({ logger: false, cacher: 'Memory' });
    broadcasts = [];
    const schema: ServiceSchema & { entityUpdated: (entity: Row) => void } = {
      name: 'connections',
      mixins: [collectionMixin<Row>(opened.store, 'connections')],
      actions: {
        get: {
          params: { id: 'string' },
          handler: (ctx: Context<{ id: string }>) => entitiesOf<Row>(service).getEntity(MINE, ctx.params.id),
        },
      },
      entityUpdated: (entity: Row) => void broadcasts.push(`updated ${entity._id}`),
    };
    service = broker.createService(schema);
    broker.createService({
      name: 'listener',
      events: { 'cache.**': (ctx: Context) => void broadcasts.push(ctx.eventName as string) },
    });
    await broker.start();
    entities = entitiesOf<Row>(service);
  });
  afterEach(async () => {
    await broker.stop();
    await opened.remove();
  });

  test('publishes none of moleculer-db’s actions', () => {
    const actions = broker.registry
      .getActionList({ onlyLocal: true, skipInternal: true })
      .map((action: { name: string }) => action.name);
    expect(actions).toEqual(['connections.get']);
  });

  test('leaves nothing of moleculer-db’s action in a service’s own one of the same name', async () => {
    await entities.createEntity(row('con_1', 'mine'));
    await entities.getEntity(MINE, 'con_1');
    const schema = service.schema.actions?.get as { rest?: unknown; cache?: unknown; params: object };
    expect([schema.rest, schema.cache, Object.keys(schema.params)]).toEqual([undefined, undefined, ['id']]);
    expect(await broker.call('connections.get', { id: 'con_1' })).toEqual(row('con_1', 'mine'));
  });

  test('creates, reads, changes and removes durably', async () => {
    expect(await entities.createEntity(row('con_1', 'mine'))).toEqual(row('con_1', 'mine'));
    expect(await rejection(entities.createEntity(row('con_1', 'mine')))).toBe('DUPLICATE_KEY');
    expect(await entities.patchEntity(MINE, 'con_1', { name: 'shop' })).toEqual({
      ...row('con_1', 'mine'),
      name: 'shop',
    });
    const store = await opened.reopen();
    expect(await store.collection<Row>('connections').find({})).toEqual([{ ...row('con_1', 'mine'), name: 'shop' }]);
  });

  test('a foreign entity is not there: not to read, not to change, not to remove', async () => {
    await entities.createEntity(row('con_theirs', 'theirs'));
    for (const id of ['con_theirs', 'con_nowhere']) {
      expect(await rejection(entities.getEntity(MINE, id))).toBe('NOT_FOUND');
      expect(await rejection(entities.patchEntity(MINE, id, { name: 'x' }))).toBe('NOT_FOUND');
      expect(await rejection(entities.removeEntity(MINE, id))).toBe('NOT_FOUND');
    }
    expect(await rejection(entities.getEntity({ _id: 'con_mine' }, 'con_theirs'))).toBe('NOT_FOUND');
    expect(await entities.getEntity(ADMIN, 'con_theirs')).toEqual(row('con_theirs', 'theirs'));
  });

  test('a list keeps to its scope, whatever the client’s filter says', async () => {
    for (let n = 0; n < 5; n++) await entities.createEntity(row(`con_${n}`, n % 2 ? 'theirs' : 'mine', n));
    const filters = [{}, { userId: 'theirs' }, { userId: { $ne: null } }, { userId: { $exists: true } }];
    for (const filter of filters) {
      expect(ids((await entities.listEntities(MINE, { filter })).items)).toEqual(['con_4', 'con_2', 'con_0']);
    }
    const first = await entities.listEntities(ADMIN, { limit: 3 });
    expect(ids(first.items)).toEqual(['con_4', 'con_3', 'con_2']);
    const rest = await entities.listEntities(MINE, { after: first.next as string });
    expect([ids(rest.items), rest.next]).toEqual([['con_0'], null]);
  });

  test('an undefined scope is BAD_REQUEST, never everybody’s', async () => {
    await entities.createEntity(row('con_1', 'theirs'));
    const scope = { userId: undefined as unknown as string };
    expect(await rejection(entities.listEntities(scope))).toBe('BAD_REQUEST');
    expect(await rejection(entities.getEntity(scope, 'con_1'))).toBe('BAD_REQUEST');
    expect(await rejection(entities.removeEntity(scope, 'con_1'))).toBe('BAD_REQUEST');
  });

  test('an id that is no string matches nothing and filters nothing out', async () => {
    await entities.createEntity(row('con_1', 'mine'));
    const operator = { $ne: null } as unknown as string;
    const { adapter } = service as unknown as { adapter: DbAdapter };
    for (const bad of [{ a: 1 } as unknown as string, ['con_1'] as unknown as string]) {
      expect(await rejection(entities.getEntity(MINE, bad))).toBe('BAD_REQUEST');
    }
    expect(await rejection(adapter.findById(operator))).toBe('BAD_REQUEST');
    expect(await rejection(entities.removeEntity(MINE, operator))).toBe('BAD_REQUEST');
    expect(await rejection(entities.getEntity(MINE, operator))).toBe('BAD_REQUEST');
  });

  test('the owner and the id never change', async () => {
    await entities.createEntity(row('con_1', 'mine'));
    for (const patch of [{ userId: 'theirs' }, { _id: 'con_2' }, { $set: { userId: 'theirs' } } as Partial<Row>]) {
      expect(await rejection(entities.patchEntity(MINE, 'con_1', patch))).toBe('BAD_REQUEST');
    }
    expect(await entities.getEntity(MINE, 'con_1')).toEqual(row('con_1', 'mine'));
  });

  test('removes once, and answers what it removed', async () => {
    await entities.createEntity(row('con_1', 'mine'));
    const outcomes = await Promise.allSettled([
      entities.removeEntity(MINE, 'con_1'),
      entities.removeEntity(MINE, 'con_1'),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'fulfilled')).toMatchObject({ value: row('con_1', 'mine') });
  });

  test('calls the lifecycle hooks and broadcasts no cache cleaning', async () => {
    await entities.createEntity(row('con_1', 'mine'));
    await entities.patchEntity(MINE, 'con_1', { name: 'x' });
    await entities.removeEntity(MINE, 'con_1');
    expect(broadcasts).toEqual(['updated con_1']);
  });

  test('moleculer-db’s own helpers work over the port too', async () => {
    const { adapter } = service as unknown as { adapter: DbAdapter };
    expect(await adapter.insertMany([row('a', 'u', 1), row('b', 'u', 2), row('c', 'v', 3)])).toHaveLength(3);
    expect(await rejection(adapter.insertMany([row('d', 'u'), row('a', 'u')]))).toBe('DUPLICATE_KEY');
    expect(await adapter.count({ query: { userId: 'u' } })).toBe(2);
    expect(ids((await adapter.find({ sort: '-createdAt', limit: 2 } as object)) as Row[])).toEqual(['c', 'b']);
    expect(ids((await adapter.find({ query: {}, sort: 'userId,-createdAt', offset: 1 } as object)) as Row[])).toEqual([
      'a',
      'c',
    ]);
    expect(ids((await adapter.findByIds(['a', 'c', 'z'])) as Row[]).sort()).toEqual(['a', 'c']);
    expect(await adapter.findById('b')).toEqual(row('b', 'u', 2));
    expect(await adapter.findOne({ userId: 'v' })).toEqual(row('c', 'v', 3));
    expect(await adapter.updateMany({ userId: 'u' }, { $set: { name: 'n' } })).toBe(2);
    expect(await adapter.updateById('a', { $set: { name: 'm' } })).toEqual({ ...row('a', 'u', 1), name: 'm' });
    expect(await adapter.removeById('a')).toEqual({ ...row('a', 'u', 1), name: 'm' });
    expect(await adapter.removeById('a')).toBeNull();
    expect(await adapter.removeMany({ userId: 'u' })).toBe(1);
    await adapter.clear();
    expect(await adapter.count()).toBe(0);
    expect(await rejection(adapter.find({ search: 'x' }))).toBe('BAD_REQUEST');
  });
});
