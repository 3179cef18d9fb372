import { startTestCastellan, type TestCastellan } from '../../helpers/castellan.ts';

const PER_SECOND = 20;
const LIST = '/v1/wa/connection/list';

let castellan: TestCastellan;
beforeAll(async () => {
  castellan = await startTestCastellan({ rateLimitPerSecond: PER_SECOND });
});
afterAll(() => castellan.end());

/** Floods and tells how many were refused, and how many at the least had to be: the bucket holds 2 s and fills on. */
async function flood(count: number, request: (n: number) => Promise<{ status: number }>) {
  const began = performance.now();
  const answers = await Promise.all(Array.from({ length: count }, (_, n) => request(n)));
  const allowed = 2 * PER_SECOND + Math.ceil(((performance.now() - began) / 1000) * PER_SECOND);
  const refused = answers.filter(({ status }) => status === 429).length;
  return { statuses: new Set(answers.map(({ status }) => status)), refused, refusedAtLeast: count - allowed };
}

test("one tenant's flood is 429 with Retry-After, and its neighbour is served (fault 45)", async () => {
  const loud = await castellan.newUser('loud');
  const calm = await castellan.newUser('calm');
  const { statuses, refused, refusedAtLeast } = await flood(400, async () => {
    const { status, headers, body } = await loud.api.get(LIST);
    if (status === 429) {
      expect([body.error.type, Number(headers['retry-after'])]).toEqual(['TOO_MANY_REQUESTS', 1]);
    }
    return { status };
  });
  expect(refused).toBeGreaterThanOrEqual(refusedAtLeast);
  expect(statuses).toEqual(new Set([200, 429]));
  for (let n = 0; n < 20; n++) expect((await calm.api.get(LIST)).status).toBe(200);
});

test("a second key of the same user is the same tenant's", async () => {
  const { userId, api } = await castellan.newUser('two-keys');
  const second = (await castellan.admin.post(`/v1/wa/user/${userId}/key/create`, {})).body.key;
  const { refused, refusedAtLeast } = await flood(400, (n) =>
    api.send(LIST, n % 2 === 0 ? {} : { headers: { 'x-api-key': second } }),
  );
  expect(refused).toBeGreaterThanOrEqual(refusedAtLeast);
});

test('the operator is not limited', async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, () => castellan.admin.get('/v1/wa/user/list')));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});
