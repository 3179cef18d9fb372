import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Message } from '../../../lib/contracts/entities.ts';
import type { Contact } from '../../../simulator/devices/contact.ts';
import { CHROMIUM_TIMEOUT_MS } from '../../helpers/chromium.ts';
import { type DashboardWorld, type PairedConnection, startDashboardWorld } from '../../helpers/dashboard-world.ts';
import { eventually } from '../../helpers/eventually.ts';
import type { Visitor } from '../../helpers/visitor.ts';

const PICTURE = Buffer.from('89504e470d0a1a0a', 'hex');

let world: DashboardWorld;
let line: PairedConnection;
let visitor: Visitor;
let nextNumber = 15550300001;

const bubble = (text: string) => visitor.page.locator('.chat-main .message', { hasText: text });
const tick = (text: string) => bubble(text).locator('[data-status]').getAttribute('data-status');
const write = async (text: string) => {
  await visitor.page.getByLabel(/^Message to/).fill(text);
  await visitor.button('Send').click();
};

/** a contact that has written once, with its chat open */
async function inChatWith(name: string): Promise<Contact> {
  const contact = world.simulator.devices.createContact({ pn: String(nextNumber++), name });
  await contact.sendText(line.phone.pnJid, `hello from ${name}`);
  await visitor.open(`/conversations?connection=${line.connectionId}`, 'Conversations');
  await visitor.page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name }).click();
  await bubble(`hello from ${name}`).waitFor();
  return contact;
}

async function storedMessage(text: string): Promise<Message & { waMessageId: string }> {
  const messages = await world.api.messages(line.connectionId, 'outbound');
  const found = messages.find(({ content }) => content.type === 'text' && content.text === text);
  if (!found?.waMessageId) throw new Error(`"${text}" is not stored`);
  return found as Message & { waMessageId: string };
}

beforeAll(async () => {
  world = await startDashboardWorld();
  line = await world.paired('Shop', '15550300000');
}, CHROMIUM_TIMEOUT_MS);
afterAll(() => world?.end());
beforeEach(async () => {
  visitor = await world.visit();
});
afterEach(async () => {
  visitor.expectNoHarm();
  await visitor.close();
});

describe('a message that is sent', () => {
  test('gets its ticks as they come: sent, delivered, read', async () => {
    const contact = await inChatWith('Ticks');
    contact.goOffline();
    await write('do you read this?');
    await eventually(async () => expect(await tick('do you read this?')).toBe('sent'));
    contact.goOnline();
    await eventually(async () => expect(await tick('do you read this?')).toBe('delivered'));
    const { waMessageId } = await storedMessage('do you read this?');
    contact.markRead([waMessageId]);
    await eventually(async () => expect(await tick('do you read this?')).toBe('read'));
    await bubble('do you read this?').getByText('Read', { exact: true }).waitFor({ state: 'attached' });
  });

  test('goes out with Enter, while Shift and Enter begin a new line', async () => {
    const contact = await inChatWith('Enter');
    const box = visitor.page.getByLabel(/^Message to/);
    await box.focus();
    await visitor.page.keyboard.type('first line');
    await visitor.page.keyboard.press('Shift+Enter');
    await visitor.page.keyboard.type('second line');
    await visitor.page.keyboard.press('Enter');
    const { text } = await contact.waitForMessage(({ type }) => type === 'text');
    expect(text).toBe('first line\nsecond line');
    expect(await box.inputValue()).toBe('');
  });

  test('says why it failed, and goes out when it is sent again', async () => {
    const contact = await inChatWith('Refuses');
    world.simulator.faults.set({
      fault: { type: 'nack', code: 479 },
      match: { pn: line.phone.pn, tag: 'message' },
    });
    await write('refused at first');
    await bubble('refused at first').getByText('WhatsApp refused the message.').waitFor();
    expect(await tick('refused at first')).toBe('failed');
    world.simulator.faults.clear();
    await bubble('refused at first').getByRole('button', { name: 'Send again' }).click();
    await contact.waitForMessage(({ text }) => text === 'refused at first');
    await eventually(async () =>
      expect(await bubble('refused at first').last().locator('[data-status]').getAttribute('data-status')).toBe(
        'delivered',
      ),
    );
  });

  test('says that a number is not on WhatsApp', async () => {
    await visitor.open(`/conversations?connection=${line.connectionId}`, 'Conversations');
    await visitor.button('New chat').click();
    const dialog = visitor.page.getByRole('dialog');
    await dialog.getByLabel('To').fill('+1 555 999 8888');
    await dialog.getByLabel('Message').fill('is anybody there?');
    await dialog.getByRole('button', { name: 'Send' }).click();
    await bubble('is anybody there?').getByText('This number is not on WhatsApp.').waitFor();
    expect(await bubble('is anybody there?').getByRole('button', { name: 'Send again' }).count()).toBe(0);
  });

  test('waits as queued while the connection is away, and can be cancelled', async () => {
    const contact = await inChatWith('Queue');
    world.simulator.faults.set({ fault: { type: 'refuse' } });
    world.simulator.faults.set({ fault: { type: 'drop' }, match: { pn: line.phone.pn } });
    await visitor.page.getByText('What you send meanwhile is queued.').waitFor();
    await write('later');
    await write('never');
    await eventually(async () => expect([await tick('later'), await tick('never')]).toEqual(['queued', 'queued']));
    await bubble('never').getByRole('button', { name: 'Cancel' }).click();
    await bubble('never').getByText('It was cancelled before it was sent.').waitFor();
    world.simulator.faults.clear();
    await contact.waitForMessage(({ text }) => text === 'later');
    await eventually(async () => expect(await tick('later')).toBe('delivered'));
    expect(contact.inbox.all.some(({ text }) => text === 'never')).toBe(false);
  });
});

describe('a chat', () => {
  test('appears by itself with its unread count, newest first, and is read when it is opened', async () => {
    await inChatWith('Earlier');
    const late = world.simulator.devices.createContact({ pn: String(nextNumber++), name: 'Latecomer' });
    await late.sendText(line.phone.pnJid, 'one');
    await late.sendText(line.phone.pnJid, 'two');
    const item = visitor.page.getByRole('navigation', { name: 'Chats' }).getByRole('listitem').first();
    await item.getByText('Latecomer').waitFor();
    await item.getByText('2 unread').waitFor();
    await item.getByRole('link').click();
    await bubble('two').waitFor();
    expect(await item.locator('.chat-unread').count()).toBe(0);
  });

  test('shows edits, reactions and deletions as they happen', async () => {
    const contact = await inChatWith('Follow-up');
    await write('what do you think?');
    await contact.waitForMessage(({ text }) => text === 'what do you think?');
    const { waMessageId } = await storedMessage('what do you think?');
    await contact.react(line.phone.pnJid, waMessageId, '👍');
    await bubble('what do you think?').getByRole('list', { name: 'Reactions' }).getByText('👍').waitFor();

    const { id } = await contact.sendText(line.phone.pnJid, 'a tpyo');
    await bubble('a tpyo').waitFor();
    await contact.edit(line.phone.pnJid, id, 'a typo');
    await bubble('a typo').getByText('edited').waitFor();
    expect(await bubble('a tpyo').count()).toBe(0);

    await contact.revoke(line.phone.pnJid, id);
    await bubble('a typo')
      .getByText(/Deleted by/)
      .waitFor();
  });

  test('shows a picture as what it is', async () => {
    const contact = await inChatWith('Painter');
    await contact.sendMedia(line.phone.pnJid, 'image', PICTURE, { caption: 'my cat', mimetype: 'image/png' });
    await bubble('my cat').getByText('Picture (image/png)').waitFor();
  });

  test('on a phone is beside nothing: the list leads to it, and a link leads back', async () => {
    const contact = world.simulator.devices.createContact({ pn: String(nextNumber++), name: 'Small screen' });
    await contact.sendText(line.phone.pnJid, 'tiny');
    const phone = await world.visit({ narrow: true });
    await phone.open(`/conversations?connection=${line.connectionId}`, 'Conversations');
    const chats = phone.page.getByRole('navigation', { name: 'Chats' });
    await chats.getByRole('link', { name: 'Small screen' }).click();
    await phone.page.getByLabel(/^Message to/).waitFor();
    expect(await chats.isVisible()).toBe(false);
    await phone.page.getByRole('link', { name: 'All chats' }).click();
    await chats.waitFor();
    phone.expectNoHarm();
    await phone.close();
  });
});
