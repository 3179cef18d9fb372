import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Connection } from '../../../lib/contracts/entities.ts';
import { CHROMIUM_TIMEOUT_MS } from '../../helpers/chromium.ts';
import { type DashboardWorld, startDashboardWorld } from '../../helpers/dashboard-world.ts';
import { eventually } from '../../helpers/eventually.ts';
import type { Visitor } from '../../helpers/visitor.ts';

const QR_SHOWN_MS = 1_500;

let world: DashboardWorld;
let visitor: Visitor;
const qrPicture = ({ page }: Visitor) => page.getByAltText('QR code to link this device');
const status = ({ page }: Visitor, label: string) => page.locator('.page-head .badge', { hasText: label }).waitFor();

beforeAll(async () => {
  world = await startDashboardWorld({}, { socketTimings: { qrTimeoutMs: QR_SHOWN_MS } });
}, CHROMIUM_TIMEOUT_MS);
afterAll(() => world?.end());
beforeEach(async () => {
  visitor = await world.visit();
});
afterEach(async () => {
  visitor.expectNoHarm();
  await visitor.close();
});

describe('an empty system', () => {
  test('says what to do first, and how to do it from a shell', async () => {
    await visitor.open('/', 'Welcome to Castellan');
    const { page } = visitor;
    await page.getByRole('heading', { name: 'Create a connection' }).waitFor();
    expect(await page.getByText(`${world.url}/v1/wa/connection/create`).count()).toBeGreaterThan(0);
    await page.getByRole('link', { name: 'New connection' }).first().click();
    await visitor.heading('New connection');
  });
});

describe('linking a phone', () => {
  test('by QR code: the picture is replaced as the code rotates, and the page says by itself that it is connected', async () => {
    const phone = world.simulator.devices.createPhone({ pn: '15550100001', name: 'Ada' });
    const { page } = visitor;
    await visitor.open('/connections/new', 'New connection');
    await page.getByLabel('Name', { exact: true }).fill('By QR code');
    await visitor.button('Create and show the QR code').click();
    await visitor.heading('By QR code');

    await qrPicture(visitor).waitFor();
    const pictures = new Set<string | null>();
    await eventually(async () => {
      pictures.add(await qrPicture(visitor).getAttribute('src'));
      expect(pictures.size).toBeGreaterThanOrEqual(3);
    });
    await page.getByText(/New code (in \d+ s|any moment)/).waitFor();

    const connectionId = new URL(page.url()).pathname.split('/').at(-1) ?? '';
    await phone.scanQr(await world.api.untilQr(connectionId));
    await page.getByText('Connected as +15550100001').waitFor();
    await status(visitor, 'Connected');
    expect(await qrPicture(visitor).count()).toBe(0);
  });

  test('by pairing code: what the page shows is what the phone takes', async () => {
    const phone = world.simulator.devices.createPhone({ pn: '15550100002', name: 'Bea' });
    const { page } = visitor;
    await visitor.open('/connections/new', 'New connection');
    await page.getByLabel('Name', { exact: true }).fill('By pairing code');
    await page.getByLabel('Type a pairing code').check();
    await page.getByLabel('Phone number of the account').fill('+1 (555) 010-0002');
    await visitor.button('Create and get the code').click();
    const shown = page.getByText(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
    await phone.enterPairingCode((await shown.textContent()) ?? '');
    await page.getByText('Connected as +15550100002').waitFor();
    await status(visitor, 'Connected');
  });
});

describe('the page of a connection', () => {
  let connection: Connection;
  beforeAll(async () => {
    connection = await world.paired('Steered', '15550100003');
  });

  test('says where it runs and how it came to that', async () => {
    await visitor.open(`/connections/${connection.connectionId}`, 'Steered');
    const { page } = visitor;
    await page.getByText(/node-1, epoch \d+/).waitFor();
    const history = page.getByRole('region', { name: 'History' });
    await history.getByText('Waiting for the phone').first().waitFor();
    await history.getByText('Connected', { exact: true }).first().waitFor();
  });

  test('stops, starts and restarts it, and shows every step as it happens', async () => {
    await visitor.open(`/connections/${connection.connectionId}`, 'Steered');
    await visitor.button('Stop').click();
    await status(visitor, 'Stopped');
    await visitor.button('Start').click();
    await status(visitor, 'Connected');
    const epochs = await visitor.page.getByRole('region', { name: 'History' }).getByRole('listitem').count();
    await visitor.button('Restart').click();
    await eventually(async () =>
      expect(await visitor.page.getByRole('region', { name: 'History' }).getByRole('listitem').count()).toBeGreaterThan(
        epochs,
      ),
    );
    await status(visitor, 'Connected');
  });

  test('leads to the conversations of this connection', async () => {
    await visitor.open(`/connections/${connection.connectionId}`, 'Steered');
    await visitor.page.locator('.page-head').getByRole('link', { name: 'Conversations' }).click();
    await visitor.heading('Conversations');
    expect(await visitor.page.getByLabel('Connection', { exact: true }).inputValue()).toBe(connection.connectionId);
  });

  test('says in words that the phone logged it out', async () => {
    const { phone, connectionId } = await world.paired('Thrown out', '15550100004');
    await visitor.open(`/connections/${connectionId}`, 'Thrown out');
    await status(visitor, 'Connected');
    for (const device of phone.companions) await phone.removeCompanion(device);
    await status(visitor, 'Logged out');
    await visitor.page.getByText('Start it and pair it anew; its messages and webhooks stay.').waitFor();
  });

  test('names what is lost before it logs out or deletes, and does nothing when one shrinks back', async () => {
    const { connectionId } = await world.paired('Short-lived', '15550100005');
    const { page } = visitor;
    const dialog = page.getByRole('dialog');
    await visitor.open(`/connections/${connectionId}`, 'Short-lived');
    await visitor.button('Log out').click();
    await dialog.getByText('it must be paired anew').waitFor();
    await dialog.getByRole('button', { name: 'Keep it' }).click();
    await status(visitor, 'Connected');

    await visitor.button('Log out').click();
    await dialog.getByRole('button', { name: 'Log out' }).click();
    await status(visitor, 'Logged out');

    await visitor.button('Delete').click();
    await dialog.getByText('all messages and chats that are stored here for it').waitFor();
    await dialog.getByRole('button', { name: 'Delete Short-lived' }).click();
    await visitor.heading('Connections');
    await page.getByRole('link', { name: 'Steered' }).waitFor();
    expect(await page.getByRole('link', { name: 'Short-lived' }).count()).toBe(0);
    expect((await world.api.call('GET', `/connection/${connectionId}`)).status).toBe(404);
  });
});

describe('the list', () => {
  test('follows what happens elsewhere without being asked again', async () => {
    await visitor.open('/connections', 'Connections');
    const row = visitor.page.getByRole('row', { name: /Made elsewhere/ });
    const { connectionId } = await world.api.ask<Connection>('POST', '/connection/create', {
      userId: world.userId,
      name: 'Made elsewhere',
    });
    await row.getByText('Waiting for the phone').waitFor();
    await world.api.ask('POST', `/connection/${connectionId}/stop`);
    await row.getByText('Stopped', { exact: true }).waitFor();
    await world.api.ask('DELETE', `/connection/${connectionId}`);
    await row.waitFor({ state: 'detached' });
  });
});

describe('on a phone', () => {
  test('nothing is wider than the screen, and the menu opens and closes', async () => {
    const phone = await world.visit({ narrow: true });
    await phone.open('/connections', 'Connections');
    const link = phone.page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Users and keys' });
    expect(await link.isVisible()).toBe(false);
    await phone.button('Menu').click();
    await link.click();
    await phone.heading('Users and keys');
    expect(await link.isVisible()).toBe(false);
    for (const path of ['/connections', '/connections/new', '/users', '/webhooks', '/events', '/conversations']) {
      await phone.open(path);
      const width = await phone.page.evaluate<number>('document.documentElement.scrollWidth');
      expect([path, width]).toEqual([path, 390]);
    }
    phone.expectNoHarm();
    await phone.close();
  });
});
