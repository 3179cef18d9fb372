import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CHROMIUM_TIMEOUT_MS } from '../../helpers/chromium.ts';
import { type DashboardWorld, startDashboardWorld } from '../../helpers/dashboard-world.ts';
import { eventually } from '../../helpers/eventually.ts';
import type { Visitor } from '../../helpers/visitor.ts';

let world: DashboardWorld;
let visitor: Visitor;
const signInWith = async ({ page, button }: Visitor, key: string) => {
  await page.getByLabel('API key').fill(key);
  await button('Sign in').click();
};

beforeAll(async () => {
  world = await startDashboardWorld();
}, CHROMIUM_TIMEOUT_MS);
afterAll(() => world?.end());

describe('a stranger', () => {
  beforeAll(async () => {
    visitor = await world.visit({ key: '' });
  });
  afterAll(() => visitor.close());

  test.each(['/', '/connections', '/conversations', '/webhooks', '/events', '/users', '/cluster'])(
    'meets the sign-in page at %s, and nothing is asked of the API',
    async (path) => {
      const asked: string[] = [];
      const note = (request: { url(): string }) => void asked.push(new URL(request.url()).pathname);
      visitor.page.on('request', note);
      await visitor.open(path, 'Sign in to Castellan');
      visitor.page.off('request', note);
      expect(asked.filter((asked) => asked.startsWith('/v1/'))).toEqual([]);
      visitor.expectNoHarm();
    },
  );

  test('is told that a wrong key is wrong', async () => {
    await visitor.open('/connections', 'Sign in to Castellan');
    await signInWith(visitor, 'cst_not_a_key_of_this_system');
    await visitor.page.getByText('This key is not valid, or it was revoked.').waitFor();
    expect(await visitor.context.cookies()).toEqual([]);
  });

  test('gets the page that was asked for with the right key, which script never keeps', async () => {
    await visitor.open('/users', 'Sign in to Castellan');
    await signInWith(visitor, world.adminKey);
    await visitor.heading('Users and keys');
    const [cookie, ...others] = await visitor.context.cookies();
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({ name: 'castellan_session', httpOnly: true, sameSite: 'Strict' });
    const kept = await visitor.page.evaluate<string>(
      'JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage }) + document.cookie + document.documentElement.outerHTML',
    );
    expect(kept).not.toContain(world.adminKey);
    visitor.expectNoHarm();
  });

  test('is a stranger again after signing out, also with the old cookie', async () => {
    const before = await visitor.context.cookies();
    await visitor.button('Sign out').click();
    await visitor.heading('Sign in to Castellan');
    await visitor.context.addCookies(before);
    await visitor.open('/connections', 'Sign in to Castellan');
  });
});

describe('a user', () => {
  let key: string;
  let keyPath: string;

  beforeAll(async () => {
    const made = await world.castellan.newUser('plain');
    key = made.key;
    keyPath = `/v1/wa/user/${made.userId}/key/${made.keyId}`;
    visitor = await world.visit({ key });
  });
  afterAll(() => visitor.close());

  test('sees no page of admins, neither in the menu nor by its address', async () => {
    await visitor.open('/connections');
    const menu = visitor.page.getByRole('navigation', { name: 'Main' });
    await menu.getByRole('link', { name: 'Webhooks' }).waitFor();
    expect(await menu.getByRole('link', { name: /Users|Cluster/ }).count()).toBe(0);
    for (const path of ['/users', '/users/shop', '/cluster']) await visitor.open(path, 'For admins');
    visitor.expectNoHarm();
  });

  test("does not see other users' connections", async () => {
    const { connectionId } = await world.api.ask<{ connectionId: string }>('POST', '/connection/create', {
      userId: world.userId,
      name: 'not yours',
    });
    await visitor.open('/connections', 'Welcome to Castellan');
    await visitor.open(`/connections/${connectionId}`);
    await visitor.page.getByText('There is no such connection').waitFor();
    expect(await visitor.page.getByText('not yours').count()).toBe(0);
  });

  test('is signed out by itself when the key is revoked', async () => {
    await visitor.open('/connections', 'Welcome to Castellan');
    expect((await world.castellan.admin.delete(keyPath)).status).toBe(200);
    await eventually(() => visitor.page.getByLabel('API key').waitFor({ timeout: 500 }), { timeoutMs: 12_000 });
    visitor.expectNoHarm();
  });
});
