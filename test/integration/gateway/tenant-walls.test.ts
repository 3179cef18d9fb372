import { ALL_ACTIONS } from '../../../lib/contracts/index.ts';
import { type Route, routesOf } from '../../../lib/contracts/route.ts';
import { COLLECTIONS } from '../../../lib/storage/collections.ts';
import { startTestCastellan, type TestCastellan } from '../../helpers/castellan.ts';
import { pathOf, sampleBody } from '../../helpers/contract-samples.ts';
import { type HttpReceiver, httpReceiver } from '../../helpers/http-receiver.ts';
import { newTenant, type Tenant } from '../../helpers/tenant.ts';

/** Names of params that point at a row of a tenant. */
const OWNED = ['userId', 'connectionId', 'messageId', 'jobId', 'webhookId', 'deliveryId', 'keyId'];
const STABLE = ['users', 'apiKeys', 'webhooks', 'deliveries', 'idempotency'];

const routes = routesOf(ALL_ACTIONS);
const forUsers = routes.filter(({ contract }) => contract.auth === 'user');
const forAdmins = routes.filter(({ contract }) => contract.auth === 'admin');

let castellan: TestCastellan;
let receiver: HttpReceiver;
let owner: Tenant;
let stranger: Tenant;

beforeAll(async () => {
  castellan = await startTestCastellan({ allowPrivateTargets: true, rateLimitPerSecond: 0 });
  receiver = await httpReceiver();
  owner = await newTenant(castellan, 'owner', receiver.url);
  stranger = await newTenant(castellan, 'stranger', receiver.url);
});
afterAll(async () => {
  await castellan.end();
  await receiver.close();
});

const owned = (names: readonly string[]) => names.filter((name) => OWNED.includes(name));
const title = ({ method, path }: Route) => `${method} ${path}`;

function query(params: Record<string, string | undefined>): string {
  const given = Object.entries(params).filter(([, value]) => value !== undefined) as [string, string][];
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

/** Calls as the stranger, with the owner's id in one place and the stranger's own in all others. */
function knock(route: Route, foreign: string) {
  const ids = { ...stranger.ids, [foreign]: owner.ids[foreign] as string };
  const search = route.queryParams.includes(foreign) ? query({ [foreign]: ids[foreign] }) : '';
  const given = Object.fromEntries(owned(route.bodyParams).map((name) => [name, ids[name]]));
  const json = route.bodyParams.length > 0 ? sampleBody(route, given) : undefined;
  return stranger.api.send(pathOf(route, ids) + search, { method: route.method, ...(json && { json }) });
}

const doors = forUsers.flatMap((route) =>
  owned([...route.pathParams, ...route.queryParams, ...route.bodyParams]).map(
    (foreign) => [title(route), foreign, route] as const,
  ),
);

describe('every route with a foreign id is 404 (P12, fault 43)', () => {
  test('there are doors to knock at', () => {
    expect(doors.length).toBeGreaterThan(25);
  });

  test.each(doors)('%s with a foreign %s', async (_, foreign, route) => {
    const answer = await knock(route, foreign);
    expect([answer.status, answer.body.error?.type]).toEqual([404, 'NOT_FOUND']);
    for (const id of Object.values(owner.ids)) {
      if (id !== owner.ids[foreign]) expect(answer.text).not.toContain(id);
    }
  });

  test.each(forAdmins.map((route) => [title(route), route] as const))('%s is 403 for a user', async (_, route) => {
    const answer = await stranger.api.send(pathOf(route, owner.ids), { method: route.method });
    expect([answer.status, answer.body.error.type]).toEqual([403, 'FORBIDDEN']);
  });

  test.each(forUsers.map((route) => [title(route), route] as const))('%s is 401 without a key', async (_, route) => {
    const headers = { 'x-api-key': 'cst_nobody' };
    const answer = await stranger.api.send(pathOf(route, owner.ids), { method: route.method, headers });
    expect([answer.status, answer.body.error.type]).toEqual([401, 'UNAUTHORIZED']);
  });

  test('lists and the event log show only their own', async () => {
    const lists = forUsers.filter(({ path, pathParams }) => path.endsWith('/list') && pathParams.length === 0);
    expect(lists.length).toBeGreaterThan(4);
    for (const route of lists) {
      const { text, status } = await stranger.api.get(`${route.path}?limit=200`);
      expect([route.path, status]).toEqual([route.path, 200]);
      for (const id of Object.values(owner.ids).filter((id) => id !== 'node')) expect(text).not.toContain(id);
    }
  });

  test('knocking changed nothing of the owner', async () => {
    const { store } = castellan.runtime;
    const rowsOf = (name: string) => store.collection(name).find({ userId: owner.ids.userId as string });
    const snapshot = async () => {
      const names = COLLECTIONS.map(({ name }) => name).filter((name) => STABLE.includes(name));
      return Promise.all(names.map(rowsOf));
    };
    const before = await snapshot();
    for (const [, foreign, route] of doors) await knock(route, foreign);
    expect(await snapshot()).toEqual(before);
    const connection = (await owner.api.get(`/v1/wa/connection/${owner.ids.connectionId}`)).body;
    expect([connection.desiredState, connection.name]).toEqual(['running', null]);
    expect((await owner.api.get(`/v1/wa/job/${owner.ids.jobId}`)).body.status).not.toBe('cancelled');
  });
});
