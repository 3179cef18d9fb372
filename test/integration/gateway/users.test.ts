import { BOOTSTRAP_ADMIN } from '../../../lib/http/authenticator.ts';
import { createApi } from '../../helpers/api.ts';
import { startTestCastellan, type TestCastellan } from '../../helpers/castellan.ts';
import { eventually } from '../../helpers/eventually.ts';

let castellan: TestCastellan;
beforeAll(async () => {
  castellan = await startTestCastellan();
});
afterAll(() => castellan.end());

const create = (body: object) => castellan.admin.post('/v1/wa/user/create', body);

describe('users', () => {
  test('an admin creates, reads, changes, lists and deletes one', async () => {
    const created = await create({ username: 'ada', email: 'ada@example.org' });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ username: 'ada', email: 'ada@example.org', role: 'user' });
    const path = `/v1/wa/user/${created.body.userId}`;
    const changed = await castellan.admin.patch(path, { email: 'lovelace@example.org' });
    expect(changed.body).toMatchObject({ username: 'ada', email: 'lovelace@example.org' });
    expect((await castellan.admin.get(path)).body).toEqual(changed.body);
    const listed = (await castellan.admin.get('/v1/wa/user/list')).body.items;
    expect(listed).toContainEqual(changed.body);
    expect((await castellan.admin.delete(path)).status).toBe(200);
    expect((await castellan.admin.get(path)).status).toBe(404);
  });

  test("the caller's own id is taken as it is, once", async () => {
    const own = { userId: 'crm-4711', username: 'crm', email: 'crm@example.org' };
    expect((await create(own)).body.userId).toBe('crm-4711');
    const again = await create({ ...own, username: 'other' });
    expect([again.status, again.body.error.type]).toEqual([409, 'CONFLICT']);
  });

  test('a taken username is a conflict, also by renaming', async () => {
    await create({ username: 'eve', email: 'eve@example.org' });
    const mallory = (await create({ username: 'mallory', email: 'm@example.org' })).body;
    expect((await create({ username: 'eve', email: 'eve2@example.org' })).status).toBe(409);
    expect((await castellan.admin.patch(`/v1/wa/user/${mallory.userId}`, { username: 'eve' })).status).toBe(409);
  });

  test.each([
    ['no username', { email: 'x@example.org' }],
    ['an empty username', { username: '', email: 'x@example.org' }],
    ['control characters', { username: 'a\r\nb', email: 'x@example.org' }],
    ['no email', { username: 'nomail' }],
    ['an email without a domain', { username: 'nomail', email: 'x@' }],
    ['an unknown role', { username: 'x', email: 'x@example.org', role: 'root' }],
    ['an unknown field', { username: 'x', email: 'x@example.org', isAdmin: true }],
    ['null', { username: 'x', email: 'x@example.org', role: null }],
    ['an id that looks like ours but is not', { username: 'x', email: 'x@example.org', userId: 'usr_1' }],
    ['an id that is a word of the paths', { username: 'x', email: 'x@example.org', userId: 'list' }],
  ])('%s is refused and nothing is stored', async (_, body) => {
    const before = (await castellan.admin.get('/v1/wa/user/list?limit=200')).body.items.length;
    const answer = await create(body);
    expect([answer.status, answer.body.error.type]).toEqual([400, 'VALIDATION_ERROR']);
    expect((await castellan.admin.get('/v1/wa/user/list?limit=200')).body.items).toHaveLength(before);
  });

  test('one that still has connections is not deleted', async () => {
    const owner = await castellan.newUser('owner');
    const { body } = await owner.api.post('/v1/wa/connection/create', { autoStart: false });
    const refused = await castellan.admin.delete(`/v1/wa/user/${owner.userId}`);
    expect([refused.status, refused.body.error.details]).toEqual([409, { connections: 1 }]);
    await owner.api.delete(`/v1/wa/connection/${body.connectionId}`);
    expect((await castellan.admin.delete(`/v1/wa/user/${owner.userId}`)).status).toBe(200);
    await eventually(async () => expect((await owner.api.get('/v1/wa/connection/list')).status).toBe(401));
  });

  test('a list turns its pages without gaps or repeats', async () => {
    for (let n = 0; n < 7; n++) await create({ username: `page-${n}`, email: `p${n}@example.org` });
    const seen: string[] = [];
    for (let after: string | null = ''; after !== null; ) {
      const cursor: string = after === '' ? '' : `&after=${after}`;
      const { body } = await castellan.admin.get(`/v1/wa/user/list?limit=3${cursor}`);
      seen.push(...body.items.map(({ userId }: { userId: string }) => userId));
      after = body.next;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThanOrEqual(7);
  });
});

describe('keys', () => {
  test('one is shown once, works in both headers, and is not in the store', async () => {
    const { userId, key, api } = await castellan.newUser('keyholder');
    expect(key).toMatch(/^cst_[A-Za-z0-9_-]{43}$/);
    expect((await api.get(`/v1/wa/user/${userId}`)).status).toBe(200);
    const bearer = createApi(castellan.url);
    const answer = await bearer.send(`/v1/wa/user/${userId}`, { headers: { authorization: `Bearer ${key}` } });
    expect(answer.status).toBe(200);
    const listed = await castellan.admin.get(`/v1/wa/user/${userId}/key/list`);
    expect(listed.body.items).toHaveLength(1);
    expect(listed.text).not.toContain(key);
    const rows = await castellan.runtime.store.collection('apiKeys').find({});
    expect(JSON.stringify(rows)).not.toContain(key);
  });

  test('a revoked one is 401 within 5 s (fault 46)', async () => {
    const { userId, keyId, api } = await castellan.newUser('leaver');
    expect((await api.get('/v1/wa/connection/list')).status).toBe(200);
    const revoked = await castellan.admin.delete(`/v1/wa/user/${userId}/key/${keyId}`);
    expect(revoked.body.revokedAt).not.toBeNull();
    await eventually(
      async () => expect((await api.get('/v1/wa/connection/list')).body.error?.type).toBe('UNAUTHORIZED'),
      { timeoutMs: 5_000 },
    );
    const again = await castellan.admin.delete(`/v1/wa/user/${userId}/key/${keyId}`);
    expect(again.body).toEqual(revoked.body);
  });

  test.each([
    ['none', {}],
    ['an empty one', { 'x-api-key': '' }],
    ['a wrong one', { 'x-api-key': 'cst_wrong' }],
    ['two', { 'x-api-key': ['a', 'b'] }],
    ['one that is too long', { 'x-api-key': 'k'.repeat(300) }],
    ['another scheme', { authorization: 'Basic Y3N0OmNzdA==' }],
  ])('%s is 401', async (_, headers) => {
    const answer = await createApi(castellan.url).send('/v1/wa/connection/list', { headers });
    expect([answer.status, answer.body.error.type]).toEqual([401, 'UNAUTHORIZED']);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  test("a user's key opens no admin route, and shows no other user", async () => {
    const { api } = await castellan.newUser('nosy');
    const other = await castellan.newUser('private');
    expect((await api.get('/v1/wa/user/list')).status).toBe(403);
    expect((await api.post('/v1/wa/user/create', { username: 'x', email: 'x@example.org' })).status).toBe(403);
    expect((await api.post(`/v1/wa/user/${other.userId}/key/create`, {})).status).toBe(403);
    expect((await api.get(`/v1/wa/user/${other.userId}`)).status).toBe(404);
  });

  test('nobody can be created in the place of the bootstrap admin', async () => {
    const body = { userId: BOOTSTRAP_ADMIN.userId, username: 'root', email: 'root@example.org' };
    expect((await create(body)).status).toBe(400);
  });
});
