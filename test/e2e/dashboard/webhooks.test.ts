import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { CHROMIUM_TIMEOUT_MS } from '../../helpers/chromium.ts';
import { type DashboardWorld, type PairedConnection, startDashboardWorld } from '../../helpers/dashboard-world.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type HttpReceiver, httpReceiver } from '../../helpers/http-receiver.ts';
import type { Visitor } from '../../helpers/visitor.ts';

let world: DashboardWorld;
let receiver: HttpReceiver;
let line: PairedConnection;
let visitor: Visitor;
let secret = '';

const deliveries = () => visitor.page.getByRole('list', { name: 'Deliveries' }).locator('> li');
const openWebhook = async () => {
  await visitor.open('/webhooks', 'Webhooks');
  await visitor.page.getByRole('link', { name: receiver.url }).click();
  await visitor.heading('Webhook');
};
const writeFromOutside = (text: string) => {
  const pn = '15550400002';
  const contact = world.simulator.devices.contact(pn) ?? world.simulator.devices.createContact({ pn, name: 'Outside' });
  return contact.sendText(line.phone.pnJid, text);
};

beforeAll(async () => {
  world = await startDashboardWorld();
  receiver = await httpReceiver();
  line = await world.paired('Hooked', '15550400001');
}, CHROMIUM_TIMEOUT_MS);
afterAll(async () => {
  await world?.end();
  await receiver?.close();
});
beforeEach(async () => {
  visitor = await world.visit();
});
afterEach(async () => {
  visitor.expectNoHarm();
  await visitor.close();
});

describe('a webhook', () => {
  test('is made in the page, which shows its secret once', async () => {
    const { page } = visitor;
    const dialog = page.getByRole('dialog');
    await visitor.open('/webhooks', 'Webhooks');
    await page.getByText('No webhook yet').waitFor();
    await visitor.button('New webhook').first().click();
    await dialog.getByLabel('URL').fill(receiver.url);
    await dialog.getByLabel('Events of').selectOption({ label: 'Hooked' });
    await dialog.getByLabel('Only some').check();
    await dialog.getByLabel('message.received').check();
    await dialog.getByLabel('Headers of your own').fill('x-shop: 42');
    await dialog.getByRole('button', { name: 'Create' }).click();
    secret = (await dialog.getByText(/^whsec_/).textContent()) ?? '';
    await dialog.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByRole('row', { name: receiver.url }).getByText('Enabled').waitFor();
    expect(await page.content()).not.toContain(secret);
  });

  test('is tested: the page says what the receiver answered', async () => {
    await openWebhook();
    await visitor.button('Send a test').click();
    await visitor.page.getByText(/The receiver answered 200 after \d+ ms/).waitFor();
    const [request] = receiver.received;
    expect(request?.headers['x-shop']).toBe('42');
    const verifier = new StandardWebhook(secret);
    expect(() => verifier.verify(request?.body ?? '', request?.headers as Record<string, string>)).not.toThrow();

    receiver.answer((res) => res.writeHead(500).end('out of order'));
    await visitor.button('Send a test').click();
    await visitor.page.getByText('The test did not arrive').waitFor();
  });

  test('shows a failed delivery with its code, duration and next try as it happens', async () => {
    receiver.answer((res) => res.writeHead(503).end());
    await openWebhook();
    await writeFromOutside('does this arrive?');
    const first = deliveries().filter({ hasText: 'message.received' }).first();
    await first.getByText('HTTP 503').waitFor();
    await first.getByText(/^Next try/).waitFor();
    await first.getByRole('button', { name: '1 attempt' }).click();
    await first.getByText(/HTTP 503 in \d+ ms/).waitFor();
  });

  test('redelivers one, and all that failed, with the same webhook-id', async () => {
    receiver.answer((res) => res.writeHead(410).end());
    await openWebhook();
    await writeFromOutside('gone for good');
    await writeFromOutside('gone, too');
    const { webhookId } = await onlyWebhook();
    /* who answers 410 wants nothing more, and is turned off: the operator turns it on again */
    await visitor.page.getByText('Castellan turned this webhook off').waitFor();
    await visitor.button('Enable').click();
    receiver.answer((res) => void res.end('ok'));
    receiver.received.length = 0;

    const rows = deliveries().filter({ hasText: 'Failed' });
    const before = (await failed(webhookId)).length;
    expect(before).toBeGreaterThanOrEqual(2);
    await eventually(async () => expect(await rows.count()).toBe(before));
    await rows.first().getByRole('button', { name: 'Redeliver' }).click();
    await eventually(async () => expect(await rows.count()).toBe(before - 1));
    const [again] = receiver.received;
    expect(again?.headers['webhook-id']).toMatch(/^evt_/);

    await visitor.button('Redeliver all failed').click();
    await visitor.page.getByRole('dialog').getByRole('button', { name: 'Redeliver' }).click();
    await eventually(async () => expect(await failed(webhookId)).toEqual([]));
    await eventually(async () => expect(await rows.count()).toBe(0));
  });

  test('is paused and enabled again', async () => {
    await openWebhook();
    await visitor.button('Pause').click();
    await visitor.page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await visitor.page.locator('.page-head').getByText('Paused').waitFor();
    await visitor.button('Enable').click();
    await visitor.page.locator('.page-head').getByText('Enabled').waitFor();
  });

  test('is deleted after a warning that names its address', async () => {
    await openWebhook();
    await visitor.button('Delete').click();
    const dialog = visitor.page.getByRole('dialog');
    await dialog.getByText(`${receiver.url} gets nothing more.`).waitFor();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await visitor.page.getByText('No webhook yet').waitFor();
  });
});

async function onlyWebhook(): Promise<{ webhookId: string }> {
  const [webhook] = await world.api.all<{ webhookId: string }>('/webhook/list');
  if (!webhook) throw new Error('There is no webhook');
  return webhook;
}

const failed = (webhookId: string) => world.api.all(`/webhook/${webhookId}/deliveries?status=failed`);
