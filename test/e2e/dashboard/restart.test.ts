import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { Connection } from '../../../lib/contracts/entities.ts';
import { type CastellanProcess, startCastellanProcess } from '../../../scripts/harness/castellan-process.ts';
import type { Contact } from '../../../simulator/devices/contact.ts';
import type { Phone } from '../../../simulator/devices/phone.ts';
import { type Simulator, startSimulator } from '../../../simulator/index.ts';
import { installBuiltDashboard } from '../../helpers/built-dashboard.ts';
import { CHROMIUM_TIMEOUT_MS, launchChromium } from '../../helpers/chromium.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type Visitor, visit } from '../../helpers/visitor.ts';

const RESTART_TIMEOUT_MS = 30_000;

let browser: Browser;
let simulator: Simulator;
let castellan: CastellanProcess;
let dataDir: string;
let visitor: Visitor;
let phone: Phone;
let contact: Contact;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'castellan-'));
  [browser, simulator] = await Promise.all([
    launchChromium(),
    startSimulator({ seed: 'dead' }),
    installBuiltDashboard(),
  ]);
  castellan = await startCastellanProcess({ dataDir, whatsapp: simulator });
  const { api } = castellan;
  phone = simulator.devices.createPhone({ pn: '15550600001' });
  contact = simulator.devices.createContact({ pn: '15550600002', name: 'Faithful' });
  await api.ask('POST', '/user/create', { username: 'shop', email: 'shop@example.org', userId: 'shop' });
  const { connectionId } = await api.ask<Connection>('POST', '/connection/create', { userId: 'shop', name: 'Shop' });
  await phone.scanQr(await api.untilQr(connectionId));
  await api.untilStatus(connectionId, 'open');
  await contact.sendText(phone.pnJid, 'before');
  visitor = await visit(browser, castellan.url, { key: api.key });
  await visitor.open(`/conversations?connection=${connectionId}`, 'Conversations');
  await visitor.page.getByRole('link', { name: 'Faithful' }).click();
  await visitor.page.locator('.message', { hasText: 'before' }).waitFor();
  await visitor.live();
  await visitor.page.evaluate('window.neverReloaded = true');
}, CHROMIUM_TIMEOUT_MS);

afterAll(async () => {
  await browser?.close();
  await castellan?.kill();
  await simulator?.close();
  await rm(dataDir, { recursive: true, force: true });
});

const banner = () => visitor.page.getByText('What you see may be old.');

describe('a server that is killed', () => {
  test('is missed: the page says so and keeps what it showed', async () => {
    await castellan.kill();
    await banner().waitFor();
    await visitor.page.getByText('Offline', { exact: true }).filter({ visible: true }).waitFor();
    await visitor.page.locator('.message', { hasText: 'before' }).waitFor();
  });

  test('a message that is written meanwhile is kept, with why it was not taken', async () => {
    await visitor.page.getByLabel(/^Message to/).fill('into the void');
    await visitor.button('Send').click();
    const draft = visitor.page.locator('.message', { hasText: 'into the void' });
    await draft.getByText('not stored').waitFor();
    await draft.getByRole('button', { name: 'Retry' }).waitFor();
  });

  test('and started again is found by the page itself, with what came meanwhile, still signed in', async () => {
    await contact.sendText(phone.pnJid, 'while it was away');
    await castellan.start();
    await banner().waitFor({ state: 'detached', timeout: RESTART_TIMEOUT_MS });
    await visitor.live();
    await visitor.page.locator('.message', { hasText: 'while it was away' }).waitFor({ timeout: RESTART_TIMEOUT_MS });

    await visitor.button('Retry').click();
    await contact.waitForMessage(({ text }) => text === 'into the void', RESTART_TIMEOUT_MS);
    const sent = visitor.page.locator('.message', { hasText: 'into the void' });
    await eventually(async () => {
      expect(await sent.locator('[data-status]').getAttribute('data-status')).toBe('delivered');
    });
    expect(await sent.count()).toBe(1);
    expect(await visitor.page.evaluate('window.neverReloaded')).toBe(true);
    visitor.expectNoHarm();
  }, 60_000);
});
