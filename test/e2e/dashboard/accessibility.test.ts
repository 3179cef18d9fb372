import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import type { Connection, Webhook } from '../../../lib/contracts/entities.ts';
import type { Contact } from '../../../simulator/devices/contact.ts';
import { CHROMIUM_TIMEOUT_MS } from '../../helpers/chromium.ts';
import { type DashboardWorld, type PairedConnection, startDashboardWorld } from '../../helpers/dashboard-world.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type HttpReceiver, httpReceiver } from '../../helpers/http-receiver.ts';
import { NARROW, type Visitor, WIDE } from '../../helpers/visitor.ts';

const IMAGES = fileURLToPath(new URL('../../../docs/images/', import.meta.url));
const IMAGE_MAX_BYTES = 150_000;
/** The README's pictures are taken here, where every page is visited with something to see: UPDATE_SCREENSHOTS=1 */
const takesPictures = process.env.UPDATE_SCREENSHOTS === '1';
const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

type Look = 'light' | 'dark' | 'phone';
let world: DashboardWorld;
let receiver: HttpReceiver;
let line: PairedConnection;
let waiting: Connection;
let webhook: Webhook;
let contact: Contact;
let visitor: Visitor;
let stranger: Visitor;

const LOOKS = [
  { colorScheme: 'light', size: WIDE },
  { colorScheme: 'light', size: NARROW },
  { colorScheme: 'dark', size: NARROW },
  { colorScheme: 'dark', size: WIDE },
] as const;

/** What a theme can break; the rest is the same in both. */
const COLOURS = "{ preload: false, runOnly: ['color-contrast', 'link-in-text-block'] }";
const EVERYTHING = '{ preload: false }';
/** A theme that was changed is there once it was drawn and nothing fades any more. */
const SETTLED = `new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
  .then(() => Promise.allSettled(
    document.getAnimations().filter((one) => one instanceof CSSTransition).map(({ finished }) => finished)))
  .then(() => null)`;
/** Rows that are not on the screen are judged, too, and in the theme of the moment. */
const SHOW_ALL = `document.adoptedStyleSheets = [new CSSStyleSheet()];
document.adoptedStyleSheets[0].replaceSync('* { content-visibility: visible !important; }');`;

/** Judges what is on the screen in light and dark, wide and narrow. */
async function expectAccessible({ page }: Visitor): Promise<void> {
  const found: string[] = [];
  await page.evaluate(SHOW_ALL);
  for (const { colorScheme, size } of LOOKS) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(size);
    await page.evaluate(SETTLED);
    const rules = colorScheme === 'dark' ? COLOURS : EVERYTHING;
    const { violations } = await page.evaluate<AxeResults>(`axe.run(document, ${rules})`);
    for (const { id, nodes } of violations) {
      for (const { html, failureSummary } of nodes) {
        found.push(`${colorScheme} ${size.width}: ${id}: ${html.slice(0, 200)} ${failureSummary ?? ''}`);
      }
    }
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await page.setViewportSize(WIDE);
  await page.evaluate('document.adoptedStyleSheets = []');
  expect(found).toEqual([]);
}

async function picture({ page }: Visitor, name: string, look: Look = 'light'): Promise<void> {
  if (!takesPictures) return;
  await page.emulateMedia({ colorScheme: look === 'dark' ? 'dark' : 'light', reducedMotion: 'reduce' });
  await page.setViewportSize(look === 'phone' ? NARROW : WIDE);
  await page.evaluate('scrollTo(0, 0)');
  await page.evaluate(SETTLED);
  await mkdir(IMAGES, { recursive: true });
  await writeFile(join(IMAGES, `${name}.png`), await page.screenshot());
  await page.setViewportSize(WIDE);
}

async function furnish(): Promise<void> {
  const { api, simulator, userId } = world;
  line = await world.paired('Flower shop', '15550800001');
  await world.paired('Support', '15550800003');
  const stopped = await world.paired('Warehouse', '15550800004');
  await api.ask('POST', `/connection/${stopped.connectionId}/stop`);
  const lost = await world.paired('Old phone', '15550800005');
  for (const device of lost.phone.companions) await lost.phone.removeCompanion(device);
  await api.untilStatus(lost.connectionId, 'logged_out');
  waiting = await api.ask<Connection>('POST', '/connection/create', { userId, name: 'New till' });
  await api.untilQr(waiting.connectionId);
  const url = receiver.url;
  webhook = await api.ask<Webhook>('POST', '/webhook/create', { url, eventTypes: ['*'], headers: { 'x-shop': '1' } });
  await api.ask('POST', `/user/${userId}/key/create`, { name: 'till' });
  await api.ask('POST', `/webhook/${webhook.webhookId}/test`);
  receiver.answer((res) => res.writeHead(503).end());

  contact = simulator.devices.createContact({ pn: '15550800002', name: 'Grace' });
  contact.receiptMode = 'read';
  const say = (content: string, to = contact.pn) =>
    api.ask('POST', '/message/send', { connectionId: line.connectionId, to, content, wait: 'sent' });
  const hear = async (from: Contact, text: string) => {
    const { id } = await from.sendText(line.phone.pnJid, text);
    await eventually(async () => {
      const inbound = await api.messages(line.connectionId, 'inbound');
      expect(inbound.map(({ waMessageId }) => waMessageId)).toContain(id);
    });
    return id;
  };
  const other = simulator.devices.createContact({ pn: '15550800006', name: 'Alan' });
  await hear(other, 'Can I have the tulips by Friday?');
  await hear(contact, 'Do you have sunflowers today?');
  await say('Yes, 12 of them. Shall I put some aside? https://example.org/sunflowers');
  const id = await hear(contact, 'Please! I come at five.');
  await contact.react(line.phone.pnJid, id, '❤');
  await contact.sendMedia(line.phone.pnJid, 'image', Buffer.from('x'), {
    caption: 'this vase',
    mimetype: 'image/jpeg',
  });
  await say('They are yours.');
  await api.call('POST', '/message/send', { connectionId: line.connectionId, to: '15559990000', content: 'Hello?' });
  simulator.faults.set({ fault: { type: 'nack', code: 479 }, match: { pn: line.phone.pn, tag: 'message' }, times: 1 });
  await api.call('POST', '/message/send', { connectionId: line.connectionId, to: contact.pn, content: 'See you!' });
  await eventually(async () => {
    const failed = await api.all(`/message/list?connectionId=${line.connectionId}&status=failed`);
    expect(failed).toHaveLength(2);
    expect(await api.all(`/webhook/${webhook.webhookId}/deliveries?status=pending`)).not.toEqual([]);
  });
}

beforeAll(async () => {
  receiver = await httpReceiver();
  world = await startDashboardWorld();
  visitor = await world.visit({ initScript: axeSource });
  stranger = await world.visit({ initScript: axeSource, key: '' });
}, CHROMIUM_TIMEOUT_MS);
afterAll(async () => {
  await world?.end();
  await receiver?.close();
});

describe('axe finds nothing, in light and dark, wide and narrow:', () => {
  test('sign-in, also when the key was wrong', async () => {
    await stranger.open('/', 'Sign in to Castellan');
    await expectAccessible(stranger);
    await stranger.page.getByLabel('API key').fill('wrong');
    await stranger.button('Sign in').click();
    await stranger.page.getByText('This key is not valid').waitFor();
    await expectAccessible(stranger);
  });

  test('an empty system', async () => {
    await visitor.open('/', 'Welcome to Castellan');
    await expectAccessible(visitor);
    for (const path of ['/conversations', '/webhooks', '/events']) {
      await visitor.open(path);
      await expectAccessible(visitor);
    }
  });

  describe('a system in use:', () => {
    beforeAll(furnish, 60_000);

    test('connections', async () => {
      await visitor.open('/connections', 'Connections');
      await visitor.page.getByRole('link', { name: 'New till' }).waitFor();
      await expectAccessible(visitor);
      await picture(visitor, 'connections');
      await picture(visitor, 'connections-dark', 'dark');
      await picture(visitor, 'connections-phone', 'phone');
    });

    test('connections that nothing fits, a page that is not there', async () => {
      await visitor.open('/connections?q=nothing', 'Connections');
      await expectAccessible(visitor);
      await visitor.open('/nowhere');
      await expectAccessible(visitor);
    });

    test('a new connection, with either method', async () => {
      await visitor.open('/connections/new', 'New connection');
      await expectAccessible(visitor);
      await visitor.page.getByLabel('Type a pairing code').check();
      await expectAccessible(visitor);
    });

    test('a connection that waits for its phone', async () => {
      await visitor.open(`/connections/${waiting.connectionId}`, 'New till');
      await visitor.page.getByAltText('QR code to link this device').waitFor();
      await expectAccessible(visitor);
      await picture(visitor, 'connection-qr');
      await visitor.button('Use a pairing code instead').click();
      await expectAccessible(visitor);
    });

    test('a connection that is up, and the question before it is deleted', async () => {
      await visitor.open(`/connections/${line.connectionId}`, 'Flower shop');
      await visitor.page.getByRole('region', { name: 'History' }).getByRole('listitem').first().waitFor();
      await expectAccessible(visitor);
      await visitor.button('Delete').click();
      await expectAccessible(visitor);
    });

    test('conversations, with ticks, failures, reactions and pictures', async () => {
      await visitor.open(`/conversations?connection=${line.connectionId}`, 'Conversations');
      await visitor.page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name: 'Grace' }).click();
      await visitor.page.getByText('WhatsApp refused the message.').waitFor();
      await expectAccessible(visitor);
      await picture(visitor, 'conversations');
      await picture(visitor, 'conversations-phone', 'phone');
      await visitor.button('New chat').click();
      await expectAccessible(visitor);
    });

    test('webhooks, and a new one that lacks everything', async () => {
      await visitor.open('/webhooks', 'Webhooks');
      await visitor.page.getByRole('link', { name: webhook.url }).waitFor();
      await expectAccessible(visitor);
      await visitor.button('New webhook').click();
      await visitor.page.getByRole('dialog').getByLabel('Only some').check();
      await expectAccessible(visitor);
    });

    test('a webhook with its deliveries', async () => {
      await visitor.open(`/webhooks/${webhook.webhookId}`, 'Webhook');
      await visitor.page
        .getByRole('button', { name: /^\d+ attempts?$/ })
        .first()
        .click();
      await expectAccessible(visitor);
      await picture(visitor, 'webhook-deliveries');
    });

    test('events, one of them opened', async () => {
      await visitor.open('/events', 'Events');
      await visitor.page
        .getByRole('button', { name: /^Replay/ })
        .first()
        .click();
      await visitor.page
        .getByRole('button', { name: /^More about/ })
        .first()
        .click();
      await expectAccessible(visitor);
    });

    test('users and keys, with the dialogs', async () => {
      await visitor.open('/users', 'Users and keys');
      await visitor.page.getByRole('link', { name: 'shop' }).waitFor();
      await expectAccessible(visitor);
      await visitor.open('/users/shop', 'shop');
      await visitor.page.getByRole('row', { name: /till/ }).waitFor();
      await expectAccessible(visitor);
      await visitor.button('New key').first().click();
      await visitor.page.getByRole('dialog').getByRole('button', { name: 'Create' }).click();
      await visitor.page.getByText('It is shown this once').waitFor();
      await expectAccessible(visitor);
    });

    test('the cluster', async () => {
      await visitor.open('/cluster', 'Cluster');
      await visitor.page.getByRole('row', { name: /Flower shop/ }).waitFor();
      await expectAccessible(visitor);
      await picture(visitor, 'cluster');
    });

    test('the description of the API', async () => {
      await visitor.page.goto('/docs');
      await visitor.page.getByRole('heading', { level: 1 }).waitFor();
      await expectAccessible(visitor);
    });

    test('and none of it left its place', () => {
      visitor.expectNoHarm();
      stranger.expectNoHarm();
    });
  });
});

test.each([
  'connections',
  'connections-dark',
  'connections-phone',
  'connection-qr',
  'conversations',
  'conversations-phone',
  'webhook-deliveries',
  'cluster',
])('the picture %s for the README is there and small', async (name) => {
  expect((await stat(join(IMAGES, `${name}.png`))).size).toBeLessThan(IMAGE_MAX_BYTES);
});
