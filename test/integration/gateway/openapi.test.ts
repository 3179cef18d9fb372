import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { ALL_ACTIONS } from '../../../lib/contracts/index.ts';
import { openApiDocument } from '../../../lib/contracts/openapi.ts';
import { paramsSchema } from '../../../lib/contracts/param-schema.ts';
import { routesOf } from '../../../lib/contracts/route.ts';
import { SCHEMAS } from '../../../lib/contracts/schemas.ts';
import { startTestCastellan, type TestCastellan } from '../../helpers/castellan.ts';
import { pathOf } from '../../helpers/contract-samples.ts';
import { type HttpReceiver, httpReceiver } from '../../helpers/http-receiver.ts';
import { newTenant, type Tenant } from '../../helpers/tenant.ts';

const document = openApiDocument(ALL_ACTIONS);
const ajv = new Ajv2020({ strict: false, allErrors: true });
(addFormats as unknown as (target: Ajv2020) => void)(ajv);
ajv.addSchema({ $id: 'castellan', components: { schemas: SCHEMAS } });
const validatorOf = (name: string) => ajv.compile({ $ref: `castellan#/components/schemas/${name}` });

let castellan: TestCastellan;
let receiver: HttpReceiver;
let tenant: Tenant;
beforeAll(async () => {
  castellan = await startTestCastellan({ allowPrivateTargets: true });
  receiver = await httpReceiver();
  tenant = await newTenant(castellan, 'reader', receiver.url);
});
afterAll(async () => {
  await castellan.end();
  await receiver.close();
});

function expectShape(name: string, value: unknown): void {
  const validate = validatorOf(name);
  validate(value);
  expect(validate.errors ?? []).toEqual([]);
}

describe('the description', () => {
  test('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
    expect(document.openapi).toBe('3.1.0');
  });

  test('is what the gateway serves, to anyone', async () => {
    const answer = await castellan.admin.send('/openapi.json', { headers: { 'x-api-key': '' } });
    expect([answer.status, answer.body]).toEqual([200, JSON.parse(JSON.stringify(document))]);
  });

  test('names each operation once and only schemas that exist', () => {
    const names = ALL_ACTIONS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const routes = routesOf(ALL_ACTIONS).map(({ method, path }) => `${method} ${path}`);
    expect(new Set(routes).size).toBe(routes.length);
    const missing = routesOf(ALL_ACTIONS).filter(({ contract }) => !(contract.result in SCHEMAS));
    expect(missing.map(({ contract }) => contract.result)).toEqual([]);
  });

  test('every path param and query param is a param of its contract', () => {
    for (const { contract, pathParams, queryParams } of routesOf(ALL_ACTIONS)) {
      for (const name of [...pathParams, ...queryParams]) expect(Object.keys(contract.params)).toContain(name);
    }
  });

  test('is as strict as the validator: unknown fields, unions, patterns, null', () => {
    const create = ALL_ACTIONS.find(({ name }) => name === 'connections.create');
    const validate = ajv.compile(paramsSchema(create?.params ?? {}));
    expect(validate({ pairing: { method: 'code', phoneNumber: '15550001111' }, metadata: { a: [1] } })).toBe(true);
    expect(validate({ deviceInfo: 'Chrome' })).toBe(true);
    expect(validate({ deviceInfo: { os: 'Linux' } })).toBe(true);
    expect(validate({ deviceInfo: { os: 'Linux', root: true } })).toBe(false);
    expect(validate({ pairing: { method: 'code' } })).toBe(false);
    expect(validate({ pairing: { method: 'qr', phoneNumber: '15550001111' } })).toBe(false);
    expect(validate({ name: null })).toBe(false);
    expect(validate({ unknown: 1 })).toBe(false);
  });

  test('a rule that has no translation is an error, not a gap', () => {
    expect(() => paramsSchema({ when: { type: 'date' } })).toThrow('no translation');
    expect(() => paramsSchema({ when: 'string' })).toThrow('without a type');
  });
});

describe('real answers have the described shapes', () => {
  const readable = routesOf(ALL_ACTIONS).filter(
    ({ method, contract }) => method === 'GET' && contract.produces === undefined,
  );

  test.each(readable.map((route) => [route.path, route] as const))('GET %s', async (_, route) => {
    const api = route.contract.auth === 'admin' ? castellan.admin : tenant.api;
    const answer = await api.get(pathOf(route, tenant.ids));
    expect(answer.status).toBe(200);
    expectShape(route.contract.result, answer.body);
    const { items } = answer.body as { items?: unknown[] };
    if (items && !['/v1/wa/chat/list'].includes(route.path)) expect(items.length).toBeGreaterThan(0);
  });

  test('POST, PATCH and DELETE of users, keys, connections and webhooks', async () => {
    const { admin } = castellan;
    const user = await admin.post('/v1/wa/user/create', { username: 'shape', email: 's@example.org' });
    expectShape('User', user.body);
    const path = `/v1/wa/user/${user.body.userId}`;
    expectShape('User', (await admin.patch(path, { role: 'admin' })).body);
    const key = await admin.post(`${path}/key/create`, { name: 'ci' });
    expectShape('ApiKey', key.body);
    expectShape('ApiKey', (await admin.delete(`${path}/key/${key.body.keyId}`)).body);
    const made = await tenant.api.post('/v1/wa/connection/create', { autoStart: false, metadata: { plan: 'free' } });
    expectShape('Connection', made.body);
    for (const verb of ['start', 'restart', 'stop']) {
      const answer = await tenant.api.post(`/v1/wa/connection/${made.body.connectionId}/${verb}`, {});
      expect([verb, answer.status]).toEqual([verb, 200]);
      expectShape('Connection', answer.body);
    }
    expectShape('Connection', (await tenant.api.delete(`/v1/wa/connection/${made.body.connectionId}`)).body);
    const hook = { url: receiver.url, eventTypes: ['*'] };
    const webhook = (await tenant.api.post('/v1/wa/webhook/create', hook)).body;
    expectShape('Webhook', webhook);
    const hookPath = `/v1/wa/webhook/${webhook.webhookId}`;
    expectShape('Webhook', (await tenant.api.patch(hookPath, { enabled: false })).body);
    expectShape('Webhook', (await tenant.api.delete(hookPath)).body);
    expectShape('User', (await admin.delete(path)).body);
  });

  test('errors of every kind', async () => {
    const answers = await Promise.all([
      tenant.api.get('/v1/wa/nothing'),
      tenant.api.get('/v1/wa/user/list'),
      tenant.api.get('/v1/wa/connection/list?x=1'),
      tenant.api.post('/v1/wa/connection/create', { x: 1 }),
      tenant.api.send('/v1/wa/connection/create', { method: 'POST', raw: '{' }),
      tenant.api.send('/v1/wa/connection/list', { method: 'PUT' }),
    ]);
    for (const { body } of answers) expectShape('Error', body);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404, 403, 400, 415, 405]));
  });
});

describe('the page at /docs', () => {
  test('runs from our own files alone, under a policy without inline scripts', async () => {
    const page = await castellan.admin.get('/docs');
    expect(page.status).toBe(200);
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    expect(page.headers['content-security-policy']).not.toContain('unsafe');
    expect(page.text).not.toMatch(/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?:\/\//);
    const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => String(match[1]));
    expect(links).toEqual(expect.arrayContaining(['/docs/page.js', '/docs/page.css', '/openapi.json']));
    for (const link of links) expect([link, (await castellan.admin.get(link)).status]).toEqual([link, 200]);
    expect((await castellan.admin.get('/docs/page.js')).text).not.toMatch(/https?:\/\/|eval\(|innerHTML/);
  });
});
