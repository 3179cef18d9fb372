import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { User } from '../../../lib/contracts/entities.ts';
import { createApi } from '../../helpers/api.ts';
import { CHROMIUM_TIMEOUT_MS } from '../../helpers/chromium.ts';
import { type DashboardWorld, startDashboardWorld } from '../../helpers/dashboard-world.ts';
import { eventually } from '../../helpers/eventually.ts';
import type { Visitor } from '../../helpers/visitor.ts';

let world: DashboardWorld;
let visitor: Visitor;
const dialog = () => visitor.page.getByRole('dialog');

beforeAll(async () => {
  world = await startDashboardWorld();
}, CHROMIUM_TIMEOUT_MS);
afterAll(() => world?.end());
beforeEach(async () => {
  visitor = await world.visit();
});
afterEach(async () => {
  visitor.expectNoHarm();
  await visitor.close();
});

describe('users and keys', () => {
  test('a user is made, gets a key that is shown once, and the key works until it is revoked', async () => {
    const { page } = visitor;
    await visitor.open('/users', 'Users and keys');
    await visitor.button('New user').first().click();
    await dialog().getByLabel('User name').fill('Grace');
    await dialog().getByLabel('Email').fill('grace@example.org');
    await dialog().getByRole('button', { name: 'Create' }).click();
    await visitor.heading('Grace');

    await visitor.button('New key').first().click();
    await dialog().getByLabel('Name').fill('laptop');
    await dialog().getByRole('button', { name: 'Create' }).click();
    const key = (await dialog().locator('code').textContent()) ?? '';
    const withKey = createApi(world.url, key);
    expect((await withKey.get('/v1/wa/connection/list')).status).toBe(200);
    await dialog().getByRole('button', { name: 'I have copied it' }).click();
    await page
      .getByRole('row', { name: /laptop/ })
      .getByText('Valid')
      .waitFor();
    expect(await page.content()).not.toContain(key);

    await visitor.button('Revoke laptop').click();
    await dialog().getByText('every program that uses this key').waitFor();
    await dialog().getByRole('button', { name: 'Revoke' }).click();
    await page
      .getByRole('row', { name: /laptop/ })
      .getByText('Revoked')
      .waitFor();
    await eventually(async () => expect((await withKey.get('/v1/wa/connection/list')).status).toBe(401));
  });

  test('a refusal of the API is shown where it belongs', async () => {
    await visitor.open('/users', 'Users and keys');
    await visitor.button('New user').first().click();
    await dialog().getByLabel('User name').fill('shop');
    await dialog().getByLabel('Email').fill('shop@example.org');
    await dialog().getByRole('button', { name: 'Create' }).click();
    await dialog().getByRole('alert').waitFor();
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    await dialog().waitFor({ state: 'detached' });
  });

  test('a user is deleted after a warning', async () => {
    const { userId } = await world.api.ask<User>('POST', '/user/create', {
      username: 'leaver',
      email: 'leaver@example.org',
    });
    await visitor.open(`/users/${userId}`, 'leaver');
    await visitor.button('Delete').click();
    await dialog().getByRole('button', { name: 'Delete leaver' }).click();
    await visitor.heading('Users and keys');
    await visitor.page.getByRole('row', { name: /shop@example/ }).waitFor();
    expect(await visitor.page.getByRole('link', { name: 'leaver' }).count()).toBe(0);
  });
});

describe('the cluster', () => {
  test('shows the node with what it carries, and which connection lives where', async () => {
    await world.paired('Resident', '15550500001');
    await visitor.open('/cluster', 'Cluster');
    const node = visitor.page.getByRole('region', { name: 'node-1' });
    await node.getByText('Working').waitFor();
    await node.getByText(/1 \(1 connected\)/).waitFor();
    await node.getByText(/\d+ MB/).waitFor();
    await visitor.page.getByRole('row', { name: /Resident.*node-1/ }).waitFor();
  });

  test('drains a node after saying what that means, and lets it work again', async () => {
    await visitor.open('/cluster', 'Cluster');
    const node = visitor.page.getByRole('region', { name: 'node-1' });
    await node.getByRole('button', { name: 'Drain' }).click();
    await dialog().getByText('No other node takes over.').waitFor();
    await dialog().getByRole('button', { name: 'Drain' }).click();
    await node.getByText('Draining', { exact: true }).waitFor();
    await node.getByText(/0 \(0 connected\)/).waitFor();
    const happened = visitor.page.getByRole('region', { name: 'As it happens' });
    await happened.getByText('Resident').first().waitFor();

    await node.getByRole('button', { name: 'Take connections again' }).click();
    await node.getByText('Working').waitFor();
    await node.getByText(/1 \(1 connected\)/).waitFor();
  });
});
