import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { CastellanEvent, Connection } from '../../../lib/contracts/entities.ts';
import { CHROMIUM_TIMEOUT_MS } from '../../helpers/chromium.ts';
import { type DashboardWorld, startDashboardWorld } from '../../helpers/dashboard-world.ts';
import { eventually } from '../../helpers/eventually.ts';
import type { Visitor } from '../../helpers/visitor.ts';

let world: DashboardWorld;
let visitor: Visitor;
let first: Connection;
let second: Connection;

const rows = () => visitor.page.getByRole('list', { name: 'Events, newest first' }).locator('> li');
const create = (name: string) =>
  world.api.ask<Connection>('POST', '/connection/create', { userId: world.userId, name, autoStart: false });
const steer = ({ connectionId }: Connection, verb: 'start' | 'stop') =>
  world.api.ask('POST', `/connection/${connectionId}/${verb}`);
const untilQr = ({ connectionId }: Connection) => world.api.untilQr(connectionId);
const eventIds = () =>
  rows().evaluateAll((items: { getAttribute(name: string): string | null }[]) =>
    items.map((item) => item.getAttribute('data-event-id')),
  );

beforeAll(async () => {
  world = await startDashboardWorld();
  first = await create('First');
  second = await create('Second');
}, CHROMIUM_TIMEOUT_MS);
afterAll(() => world?.end());
beforeEach(async () => {
  visitor = await world.visit();
  await visitor.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: world.url });
  await visitor.open('/events', 'Events');
  await visitor.live();
});
afterEach(async () => {
  visitor.expectNoHarm();
  await visitor.close();
  await Promise.all([steer(first, 'stop'), steer(second, 'stop')]);
});

describe('the log', () => {
  test('shows what happens as it happens, newest first, with the names of connections', async () => {
    await steer(first, 'start');
    await untilQr(first);
    await rows().filter({ hasText: 'auth.qr' }).filter({ hasText: 'First' }).first().waitFor();
    const shown = await eventIds();
    expect(shown).toEqual([...shown].sort().reverse());
    expect(new Set(shown).size).toBe(shown.length);
  });

  test('holds still while it is paused, says how much waits, and catches up', async () => {
    await steer(first, 'start');
    await rows().filter({ hasText: 'auth.qr' }).first().waitFor();
    await visitor.button('Pause').click();
    const before = await eventIds();
    await steer(second, 'start');
    await untilQr(second);
    await visitor.page.getByText(/Paused; \d+ new/).waitFor();
    expect(await eventIds()).toEqual(before);
    await visitor.button('Go on').click();
    await rows().filter({ hasText: 'Second' }).first().waitFor();
    expect((await eventIds()).slice(-before.length)).toEqual(before);
  });

  test('is filtered by connection and type, and the address keeps the filter', async () => {
    await visitor.page.getByLabel('Connection', { exact: true }).selectOption({ label: 'Second' });
    await visitor.page.getByText('All types').click();
    await visitor.page.getByLabel('connection.status').check();
    await steer(first, 'start');
    await steer(second, 'start');
    await untilQr(first);
    await untilQr(second);
    await rows().first().waitFor();
    const onlyOurs = async () => {
      expect(await rows().filter({ hasText: 'First' }).count()).toBe(0);
      expect(await rows().filter({ hasText: 'auth.qr' }).count()).toBe(0);
    };
    await onlyOurs();
    await visitor.page.reload();
    await visitor.heading('Events');
    expect(await visitor.page.getByLabel('Connection', { exact: true }).inputValue()).toBe(second.connectionId);
    await steer(second, 'stop');
    await rows().first().waitFor();
    await onlyOurs();
  });

  test('gives an event as JSON, as the API does', async () => {
    await steer(first, 'start');
    const row = rows().filter({ hasText: 'auth.qr' }).first();
    await row.getByRole('button', { name: /^More/ }).click();
    await row.getByRole('button', { name: 'Copy as JSON', exact: true }).click();
    const copied = await eventually(async () => {
      const text = await visitor.page.evaluate<string>('navigator.clipboard.readText()');
      return JSON.parse(text) as CastellanEvent;
    });
    const stored = await world.api.all<CastellanEvent>('/event/list?types=auth.qr');
    expect(stored).toContainEqual(copied);
  });

  test('is read again from any place in it', async () => {
    const all = await world.api.all<CastellanEvent>('/event/list');
    await visitor.button('Replay from the beginning').click();
    await eventually(async () => expect((await eventIds()).length).toBeGreaterThanOrEqual(Math.min(all.length, 100)));
    const whole = await eventIds();
    const middle = whole[Math.floor(whole.length / 2)];

    const row = visitor.page.locator(`[data-event-id="${middle}"]`);
    await row.getByRole('button', { name: /^More/ }).click();
    await row.getByRole('button', { name: 'Replay from here' }).click();
    await eventually(async () => {
      const shown = await eventIds();
      expect(shown.at(-1)).toBe(middle);
      expect(shown).toEqual(whole.slice(0, shown.length));
    });
    /* at the end of the log it is live again */
    await visitor.button('Pause').waitFor();
    await steer(first, 'start');
    await eventually(async () => expect((await eventIds()).length).toBeGreaterThan(whole.indexOf(middle ?? null) + 1));
  });
});
