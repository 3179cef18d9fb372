import { startTestCastellan, type TestCastellan } from '../../helpers/castellan.ts';

let castellan: TestCastellan;
beforeAll(async () => {
  castellan = await startTestCastellan({ rateLimitPerSecond: 20 });
});
afterAll(() => castellan.end());

test("one tenant's flood is 429 with Retry-After, and its neighbour is served (fault 45)", async () => {
  const loud = await castellan.newUser('loud');
  const calm = await castellan.newUser('calm');
  const flood = await Promise.all(Array.from({ length: 400 }, () => loud.api.get('/v1/wa/connection/list')));
  const refused = flood.filter(({ status }) => status === 429);
  /* the bucket holds 40 and fills with 20 a second */
  expect(refused.length).toBeGreaterThan(250);
  for (const { headers, body } of refused) {
    expect([body.error.type, Number(headers['retry-after'])]).toEqual(['TOO_MANY_REQUESTS', 1]);
  }
  expect(new Set(flood.map(({ status }) => status))).toEqual(new Set([200, 429]));
  for (let n = 0; n < 20; n++) expect((await calm.api.get('/v1/wa/connection/list')).status).toBe(200);
});

test("a second key of the same user is the same tenant's", async () => {
  const { userId, api } = await castellan.newUser('two-keys');
  const second = (await castellan.admin.post(`/v1/wa/user/${userId}/key/create`, {})).body.key;
  await Promise.all(Array.from({ length: 100 }, () => api.get('/v1/wa/connection/list')));
  const answer = await api.send('/v1/wa/connection/list', { headers: { 'x-api-key': second } });
  expect(answer.status).toBe(429);
});

test('the operator is not limited', async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, () => castellan.admin.get('/v1/wa/user/list')));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});
