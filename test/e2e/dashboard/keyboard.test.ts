import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CHROMIUM_TIMEOUT_MS } from '../../helpers/chromium.ts';
import { type DashboardWorld, startDashboardWorld } from '../../helpers/dashboard-world.ts';
import { eventually } from '../../helpers/eventually.ts';
import type { Visitor } from '../../helpers/visitor.ts';

const MAX_TABS = 60;

let world: DashboardWorld;
let visitor: Visitor;

/** what has the focus, as a person would call it, and whether that can be seen */
const FOCUSED = `(() => {
  const element = document.activeElement;
  const label = element.labels?.[0]?.textContent ?? element.getAttribute('aria-label') ?? element.textContent;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  const seen = (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none';
  return { label: label.trim(), tag: element.tagName.toLowerCase(), seen };
})()`;

type Focused = { label: string; tag: string; seen: boolean };
const press = (key: string) => visitor.page.keyboard.press(key);

/** Presses Tab until what is called so has the focus. */
async function tabTo(name: string | RegExp, tag?: string): Promise<void> {
  const passed: string[] = [];
  for (let n = 0; n < MAX_TABS; n++) {
    const { label, ...focused } = await visitor.page.evaluate<Focused>(FOCUSED);
    const fits = typeof name === 'string' ? label.startsWith(name) : name.test(label);
    if (fits && (tag === undefined || tag === focused.tag)) {
      expect({ name, ...focused }).toMatchObject({ seen: true });
      return;
    }
    passed.push(`${focused.tag} ${label.slice(0, 30)}`);
    await press('Tab');
  }
  throw new Error(`Tab does not come to ${name}, but to: ${passed.join(' | ')}`);
}

beforeAll(async () => {
  world = await startDashboardWorld();
  visitor = await world.visit({ key: '' });
}, CHROMIUM_TIMEOUT_MS);
afterAll(() => world?.end());

test('from the sign-in to the first answered message, with the keyboard alone', async () => {
  const { page } = visitor;
  const phone = world.simulator.devices.createPhone({ pn: '15550900001', name: 'Ada' });
  const contact = world.simulator.devices.createContact({ pn: '15550900002', name: 'Grace' });

  await visitor.open('/', 'Sign in to Castellan');
  await tabTo('API key', 'input');
  await page.keyboard.type(world.adminKey);
  await press('Enter');
  await visitor.heading('Welcome to Castellan');

  await tabTo('New connection', 'a');
  await press('Enter');
  await visitor.heading('New connection');
  await tabTo('Name', 'input');
  await page.keyboard.type('By keyboard');
  await tabTo('Create and show the QR code', 'button');
  await press('Enter');
  await visitor.heading('By keyboard');
  await page.getByAltText('QR code to link this device').waitFor();
  const connectionId = new URL(page.url()).pathname.split('/').at(-1) ?? '';
  await phone.scanQr(await world.api.untilQr(connectionId));
  await page.getByText('Connected as +15550900001').waitFor();

  await tabTo('Send a message', 'a');
  await press('Enter');
  await visitor.heading('Conversations');
  await tabTo('New chat', 'button');
  await press('Enter');
  await page.getByRole('dialog').waitFor();
  await tabTo('To', 'input');
  await page.keyboard.type(contact.pn);
  await tabTo('Message', 'textarea');
  await page.keyboard.type('hello');
  await tabTo('Send', 'button');
  await press('Enter');
  await contact.waitForMessage(({ text }) => text === 'hello');
  await contact.sendText(phone.pnJid, 'hello yourself');
  await page.locator('.chat-main .message', { hasText: 'hello yourself' }).waitFor();
  await tabTo(/^Message to/, 'textarea');
  await page.keyboard.type('and again');
  await press('Enter');
  await contact.waitForMessage(({ text }) => text === 'and again');
  visitor.expectNoHarm();
});

test('a dialog keeps the focus inside, closes with Escape and gives the focus back', async () => {
  await visitor.open('/users', 'Users and keys');
  await tabTo('New user', 'button');
  await press('Enter');
  const dialog = visitor.page.getByRole('dialog');
  await dialog.waitFor();
  for (let n = 0; n < 12; n++) {
    await press('Tab');
    expect(
      await visitor.page.evaluate(
        "document.activeElement === document.body || document.querySelector('dialog').contains(document.activeElement)",
      ),
    ).toBe(true);
  }
  await press('Escape');
  await dialog.waitFor({ state: 'detached' });
  const { label } = await visitor.page.evaluate<Focused>(FOCUSED);
  expect(label).toBe('New user');
});

test('the first Tab leads past the menu', async () => {
  await visitor.open('/connections', 'Connections');
  await press('Tab');
  expect((await visitor.page.evaluate<Focused>(FOCUSED)).label).toBe('Skip to the content');
  await press('Enter');
  await eventually(async () => expect(await visitor.page.evaluate('document.activeElement.id')).toBe('main'));
});
