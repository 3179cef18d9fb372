import { createHash } from 'node:crypto';
import { CastellanError } from '../../../lib/errors.ts';
import type { IdempotencyDoc } from '../../../lib/storage/collections.ts';
import type { Store } from '../../../lib/storage/port.ts';
import { startTestCastellan, type TestCastellan } from '../../helpers/castellan.ts';

let castellan: TestCastellan;
/** makes the store fail where a test says so, after the write was done */
let failAfter: ((collection: string) => boolean) | null = null;

/** The store as it is when its answer is lost: the write is there, the caller hears an error. */
function forgetful(store: Store): Store {
  return {
    ...store,
    collection: (name) => {
      const inner = store.collection(name);
      const updateOne: typeof inner.updateOne = async (...args) => {
        const result = await inner.updateOne(...args);
        if (failAfter?.(name)) throw new CastellanError('STORE_UNAVAILABLE');
        return result;
      };
      const insertOne: typeof inner.insertOne = async (doc) => {
        await inner.insertOne(doc);
        if (failAfter?.(name)) throw new CastellanError('STORE_UNAVAILABLE');
      };
      return { ...inner, updateOne, insertOne } as never;
    },
  };
}

beforeAll(async () => {
  castellan = await startTestCastellan({}, { wrapStore: forgetful });
});
afterAll(() => castellan.end());
afterEach(() => {
  failAfter = null;
});

const createUser = (username: string, key: string) =>
  castellan.admin.post(
    '/v1/wa/user/create',
    { username, email: `${username}@example.org` },
    { 'idempotency-key': key },
  );

async function usersNamed(username: string): Promise<number> {
  return castellan.runtime.store.collection('users').count({ username });
}

test('1,000 concurrent duplicates are one user, and all hear of the same one (fault 30)', async () => {
  const answers = await Promise.all(Array.from({ length: 1_000 }, () => createUser('flood', 'flood-1')));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1);
  expect(await usersNamed('flood')).toBe(1);
});

test('a repeat answers the first status and body and says so', async () => {
  const first = await createUser('again', 'again-1');
  const repeat = await createUser('again', 'again-1');
  expect([repeat.status, repeat.text]).toEqual([first.status, first.text]);
  expect(repeat.headers['idempotency-replayed']).toBe('true');
});

test('an API key comes back the same, and lies sealed in the store', async () => {
  const { userId } = (await createUser('sealed', 'sealed-1')).body;
  const path = `/v1/wa/user/${userId}/key/create`;
  const first = await castellan.admin.post(path, {}, { 'idempotency-key': 'sealed-2' });
  const repeat = await castellan.admin.post(path, {}, { 'idempotency-key': 'sealed-2' });
  expect(repeat.body.key).toBe(first.body.key);
  const rows = await castellan.runtime.store.collection<IdempotencyDoc>('idempotency').find({});
  expect(rows.length).toBeGreaterThan(0);
  const stored = Buffer.concat(rows.map(({ response }) => Buffer.from(response ?? [])));
  expect(stored.includes(first.body.key)).toBe(false);
});

test('the same key with another body is a mismatch and changes nothing (fault 31)', async () => {
  await createUser('original', 'mismatch-1');
  const other = await createUser('another', 'mismatch-1');
  expect([other.status, other.body.error.type]).toEqual([409, 'IDEMPOTENCY_MISMATCH']);
  expect(await usersNamed('another')).toBe(0);
});

test('a refused request frees its key', async () => {
  const key = { 'idempotency-key': 'refused-1' };
  const refused = await castellan.admin.post('/v1/wa/user/create', { username: 'fixed' }, key);
  expect(refused.status).toBe(400);
  expect((await createUser('fixed', 'refused-1')).status).toBe(201);
});

test("two users' equal keys are strangers", async () => {
  const [a, b] = [await castellan.newUser('stranger-a'), await castellan.newUser('stranger-b')];
  const body = { autoStart: false };
  const mine = await a.api.post('/v1/wa/connection/create', body, { 'idempotency-key': 'same' });
  const yours = await b.api.post('/v1/wa/connection/create', body, { 'idempotency-key': 'same' });
  expect(mine.body.connectionId).not.toBe(yours.body.connectionId);
  expect(yours.headers['idempotency-replayed']).toBeUndefined();
});

test('after a lost answer the repeat meets what was stored', async () => {
  failAfter = (collection) => collection === 'users';
  const lost = await createUser('lost', 'lost-1');
  expect([lost.status, lost.headers['retry-after']]).toEqual([503, '1']);
  failAfter = null;
  const repeat = await createUser('lost', 'lost-1');
  expect(repeat.status).toBe(201);
  expect(await usersNamed('lost')).toBe(1);
});

test('a claim that a crash left behind is taken over with its ids', async () => {
  const body = { username: 'crashed', email: 'crashed@example.org' };
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const reservedUlid = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
  const now = Date.now();
  const userId = 'usr_00000000000000000000000000';
  await castellan.runtime.store.collection<IdempotencyDoc>('idempotency').insertOne({
    _id: `${userId}:${sha256('crashed-1')}`,
    userId,
    requestHash: sha256(`POST /v1/wa/user/create\n${JSON.stringify(body)}`),
    reservedUlid,
    status: 'pending',
    holder: 'a process that is gone',
    leaseUntil: now + 300,
    response: null,
    createdAt: now,
    expiresAt: now + 60_000,
  });
  const answer = await castellan.admin.post('/v1/wa/user/create', body, { 'idempotency-key': 'crashed-1' });
  expect([answer.status, answer.body.userId]).toEqual([201, `usr_${reservedUlid}`]);
});

test.each([
  ['an empty key', ''],
  ['a key of 256 characters', 'k'.repeat(256)],
  ['a key outside of ASCII', 'caf\u00e9'],
])('%s is refused', async (_, key) => {
  const answer = await createUser('badkey', key);
  expect([answer.status, answer.body.error.type]).toEqual([400, 'BAD_REQUEST']);
  expect(await usersNamed('badkey')).toBe(0);
});
