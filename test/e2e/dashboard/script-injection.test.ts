import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Webhook } from '../../../lib/contracts/entities.ts';
import type { Contact } from '../../../simulator/devices/contact.ts';
import { CHROMIUM_TIMEOUT_MS } from '../../helpers/chromium.ts';
import { type DashboardWorld, type PairedConnection, startDashboardWorld } from '../../helpers/dashboard-world.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type HttpReceiver, httpReceiver } from '../../helpers/http-receiver.ts';
import type { Visitor } from '../../helpers/visitor.ts';

/** Each would set `window.pwned`, open a dialog, or send something elsewhere, if it were taken for more than text. */
const CORPUS = [
  '<script>window.pwned = 1</script>',
  '"><script>window.pwned = 1</script>',
  '<img src=x onerror="window.pwned = 1">',
  '<svg onload=alert(1)><animate onbegin=alert(1) attributeName=x dur=1s>',
  '</textarea></title></style><img src=x onerror=alert(1)>',
  '<iframe srcdoc="<script>parent.pwned = 1</script>"></iframe>',
  "' autofocus onfocus='alert(1)' x='",
  'javascript:alert(1)',
  'JaVaScRiPt:window.pwned=1//http://example.org',
  'http://example.org/"onmouseover="alert(1)',
  'data:text/html,<script>alert(1)</script>',
  '{{constructor.constructor("window.pwned=1")()}}',
  '$'.concat('{window.pwned=1}'),
  '&lt;script&gt;window.pwned = 1&lt;/script&gt;',
  '&#x3C;img src=x onerror=alert(1)&#x3E;',
  '\u202e<b>desrever</b>',
  '<base href=//evil.example/><link rel=stylesheet href=//evil.example/x.css>',
  '<form action=//evil.example><button>Sign in again</button></form>',
  '<style>*{display:none}</style>',
  '<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>',
  '__proto__',
  '<meta http-equiv=refresh content="0;url=//evil.example">',
] as const;
const [SCRIPT, , IMAGE] = CORPUS;
const ALL_IN_ONE = CORPUS.join(' ').slice(0, 900);

let world: DashboardWorld;
let receiver: HttpReceiver;
let line: PairedConnection;
let contact: Contact;
let webhook: Webhook;
let visitor: Visitor;

/** what would be in the page if any of the corpus had become markup */
const INTRUDERS = `[...document.querySelectorAll(
  'script:not([src]), iframe, base, form[action], [onerror], [onload], [onfocus], [onbegin], [onmouseover], img[src="x"], ' +
  'math, body b, body style, body link, meta[http-equiv]')].map((element) => element.outerHTML)
  .concat([...document.querySelectorAll('a[href]')].map(({ href }) => href).filter((href) => !/^https?:/.test(href)))
  .concat('pwned' in window ? ['window.pwned'] : [])`;

async function expectOnlyText(): Promise<void> {
  expect(await visitor.page.evaluate(INTRUDERS)).toEqual([]);
  visitor.expectNoHarm();
}

async function arrived(text: string): Promise<void> {
  await visitor.page.getByText(text, { exact: true }).first().waitFor({ state: 'attached' });
}

beforeAll(async () => {
  world = await startDashboardWorld();
  receiver = await httpReceiver();
  receiver.answer((res) => res.writeHead(400, { 'content-type': 'text/html' }).end(ALL_IN_ONE));
  line = await world.paired(SCRIPT, '15550700001');
  contact = world.simulator.devices.createContact({ pn: '15550700002', name: IMAGE });
  webhook = await world.api.ask<Webhook>('POST', '/webhook/create', {
    url: `${receiver.url}"><script>window.pwned=1</script>?q='><img src=x onerror=alert(1)>#javascript:alert(1)`,
    eventTypes: ['*'],
    connectionId: line.connectionId,
    headers: { 'x-script': '<script>window.pwned=1</script>' },
  });
  visitor = await world.visit();
}, CHROMIUM_TIMEOUT_MS);
afterAll(async () => {
  await world?.end();
  await receiver?.close();
});

test('the watch sees what would be harm', async () => {
  const victim = await world.visit();
  await victim.open('/connections', 'Connections');
  await victim.page.evaluate(
    `document.body.insertAdjacentHTML('beforeend', '<img src="//evil.example/x.png" onerror="window.pwned = 1">')`,
  );
  await eventually(() => expect(() => victim.expectNoHarm()).toThrow(/img-src/));
  expect(await victim.page.evaluate(INTRUDERS)).toHaveLength(1);
  await victim.close();
});

describe('text that would be script stays text', () => {
  test('in messages both ways, push names and the list of chats', async () => {
    await contact.sendText(line.phone.pnJid, 'hello');
    await visitor.open(`/conversations?connection=${line.connectionId}`, 'Conversations');
    await visitor.page.getByRole('navigation', { name: 'Chats' }).getByRole('link').first().click();
    await arrived(IMAGE);
    for (const text of CORPUS) {
      await contact.sendText(line.phone.pnJid, text);
      await world.api.ask('POST', '/message/send', { connectionId: line.connectionId, to: contact.pn, content: text });
    }
    const texts = visitor.page.locator('.chat-main .message-text');
    await texts.nth(CORPUS.length * 2).waitFor();
    const shown = await texts.allTextContents();
    for (const text of CORPUS) expect(shown.filter((other) => other === text)).toHaveLength(2);
    await expectOnlyText();
  });

  test('in captions, file names, kinds and reactions', async () => {
    const { id } = await contact.sendText(line.phone.pnJid, 'react to this');
    await contact.sendMedia(line.phone.pnJid, 'document', Buffer.from('x'), {
      caption: SCRIPT,
      fileName: IMAGE,
      mimetype: '"><svg/onload=alert(1)>',
    });
    await contact.react(line.phone.pnJid, id, IMAGE);
    await contact.edit(line.phone.pnJid, id, ALL_IN_ONE);
    await visitor.page.getByRole('list', { name: 'Reactions' }).getByText(IMAGE).first().waitFor();
    await visitor.page.locator('.chat-main .message-media', { hasText: IMAGE }).waitFor();
    await visitor.page.locator('.chat-main .message-text', { hasText: ALL_IN_ONE }).waitFor();
    await expectOnlyText();
  });

  test('in what is written in the page itself', async () => {
    await visitor.page.getByLabel(/^Message to/).fill(ALL_IN_ONE);
    await visitor.button('Send').click();
    await contact.waitForMessage(({ text }) => text === ALL_IN_ONE);
    await expectOnlyText();
  });

  test('in names, metadata, devices and reasons of connections', async () => {
    const { connectionId } = await world.api.ask<{ connectionId: string }>('POST', '/connection/create', {
      userId: world.userId,
      name: IMAGE,
      autoStart: false,
      deviceInfo: { browser: SCRIPT, os: IMAGE, version: '"><svg/onload=alert(1)>' },
      metadata: { [SCRIPT]: CORPUS, nested: { html: ALL_IN_ONE } },
    });
    const connections = world.castellan.runtime.store.collection('connections');
    await connections.updateOne({ _id: connectionId }, { $set: { statusReason: ALL_IN_ONE, worker: null } });
    await visitor.open('/connections', 'Connections');
    await arrived(SCRIPT);
    await arrived(IMAGE);
    await expectOnlyText();
    await visitor.open(`/connections/${connectionId}`, IMAGE);
    await arrived(ALL_IN_ONE);
    await visitor.button('Delete').click();
    await visitor.page.getByRole('button', { name: `Delete ${IMAGE}` }).waitFor();
    await expectOnlyText();
    await visitor.open(`/connections/${line.connectionId}`, SCRIPT);
    await expectOnlyText();
  });

  test("in webhook addresses, header names and receivers' answers", async () => {
    await visitor.open('/webhooks', 'Webhooks');
    await visitor.page.getByRole('link', { name: webhook.url }).waitFor();
    await expectOnlyText();
    await visitor.open(`/webhooks/${webhook.webhookId}`, 'Webhook');
    await visitor.button('Send a test').click();
    await visitor.page.getByText('The test did not arrive').waitFor();
    await visitor.page.getByRole('button', { name: '1 attempt' }).first().click();
    await visitor.button('Delete').click();
    await visitor.page.getByRole('dialog').getByText(webhook.url).waitFor();
    await expectOnlyText();
  });

  test('in event data, opened and copied', async () => {
    await visitor.open('/events', 'Events');
    await visitor.button('Replay from the beginning').click();
    const rows = visitor.page.locator('.event');
    await rows.filter({ hasText: IMAGE }).first().waitFor();
    await visitor.page.evaluate(
      "document.querySelectorAll('.event button[aria-expanded=false]').forEach((more) => more.click())",
    );
    await visitor.page.locator('.event-details').nth(CORPUS.length).waitFor();
    await expectOnlyText();
  });

  test('in names of users and keys', async () => {
    /* the API refuses markup in a user's name; what is in the store may be older than that */
    const users = world.castellan.runtime.store.collection('users');
    await users.updateOne({ _id: world.userId }, { $set: { username: IMAGE, email: SCRIPT } });
    await world.api.ask('POST', `/user/${world.userId}/key/create`, { name: SCRIPT });
    await visitor.open('/users', 'Users and keys');
    await arrived(IMAGE);
    await expectOnlyText();
    await visitor.open(`/users/${world.userId}`, IMAGE);
    await arrived(SCRIPT);
    await visitor.button('Delete').click();
    await visitor.page.getByRole('button', { name: `Delete ${IMAGE}` }).waitFor();
    await expectOnlyText();
  });

  test('on the page of the cluster', async () => {
    await visitor.open('/cluster', 'Cluster');
    await visitor.page.getByRole('link', { name: SCRIPT }).first().waitFor();
    await expectOnlyText();
  });

  test.each([
    '/connections?q=PAYLOAD&status=PAYLOAD',
    '/connections/PAYLOAD',
    '/conversations?connection=PAYLOAD&chat=PAYLOAD',
    '/webhooks/PAYLOAD?status=PAYLOAD',
    '/events?types=PAYLOAD&connection=PAYLOAD',
    '/users/PAYLOAD',
    '/cluster?node=PAYLOAD',
    '/PAYLOAD#PAYLOAD',
  ])('in the address %s', async (path) => {
    await visitor.open('/first-run', 'First steps');
    for (const payload of [SCRIPT, IMAGE, 'javascript:alert(1)', '__proto__']) {
      /* the server has no page at such a path, a link within the page may */
      const address = path.replaceAll('PAYLOAD', encodeURIComponent(payload));
      await visitor.page.evaluate(`history.pushState(null, '', ${JSON.stringify(address)})`);
      await visitor.page.evaluate("dispatchEvent(new PopStateEvent('popstate'))");
      await visitor.page.getByRole('heading', { level: 1 }).filter({ hasNotText: 'First steps' }).waitFor();
      await expectOnlyText();
    }
  });

  test('after the sign-in, which leads to no other place', async () => {
    const stranger = await world.visit({ key: '' });
    await stranger.open('/sign-in?next=//evil.example/%22%3E%3Cscript%3Ewindow.pwned=1%3C/script%3E', /./);
    await stranger.page.getByLabel('API key').fill(world.adminKey);
    await stranger.button('Sign in').click();
    await stranger.button('Sign out').waitFor();
    expect(new URL(stranger.page.url()).origin).toBe(world.url);
    stranger.expectNoHarm();
    await stranger.close();
  });
});
