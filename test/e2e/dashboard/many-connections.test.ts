import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CONNECTION_STATUSES, type Connection } from '../../../lib/contracts/entities.ts';
import { newId } from '../../../lib/ids.ts';
import type { ConnectionDoc } from '../../../lib/storage/collections.ts';
import { CHROMIUM_TIMEOUT_MS } from '../../helpers/chromium.ts';
import { type DashboardWorld, startDashboardWorld } from '../../helpers/dashboard-world.ts';
import { eventually } from '../../helpers/eventually.ts';
import type { Visitor } from '../../helpers/visitor.ts';

const CONNECTIONS = 1_000;
/** of 800 pixels of screen, with some above and below it */
const MAX_DRAWN = 80;
/** a person notices less on an idle machine; the tests share theirs */
const LONGEST_TASK_MS = 400;

const WATCH_TASKS = `window.longTasks = [];
new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: 'longtask' });`;

let world: DashboardWorld;
let visitor: Visitor;
let model: Connection;

const rows = () => visitor.page.getByRole('table', { name: 'Connections' }).locator('.table-body [role=row]');
const counted = () => visitor.page.getByRole('table', { name: 'Connections' }).getAttribute('aria-rowcount');
/** the longest task since the last call */
const longestTask = () => visitor.page.evaluate<number>('Math.max(0, ...window.longTasks.splice(0))');

/** Rows as the API would have written them, straight into the store: 1,000 pairings are another test's work. */
async function fill(): Promise<void> {
  const { store } = world.castellan.runtime;
  const body = { userId: world.userId, name: 'Model', autoStart: false };
  model = await world.api.ask<Connection>('POST', '/connection/create', body);
  const connections = store.collection<ConnectionDoc>('connections');
  const doc = await connections.findOne({ _id: model.connectionId });
  if (!doc) throw new Error('The model connection is not stored');
  await connections.insertMany(
    Array.from({ length: CONNECTIONS - 1 }, (_, n) => ({
      ...doc,
      _id: newId('connection'),
      name: `Branch ${String(n + 1).padStart(4, '0')}`,
      desiredState: 'stopped' as const,
      status: CONNECTION_STATUSES[n % CONNECTION_STATUSES.length] ?? 'stopped',
    })),
  );
}

beforeAll(async () => {
  world = await startDashboardWorld();
  await fill();
  visitor = await world.visit({ initScript: WATCH_TASKS });
  await visitor.open('/connections', 'Connections');
  await eventually(async () => expect(await counted()).toBe(String(CONNECTIONS + 1)));
}, CHROMIUM_TIMEOUT_MS);
afterAll(() => world?.end());

describe('a thousand connections', () => {
  test('are all there, with only those drawn that can be seen', async () => {
    const drawn = await rows().count();
    expect(drawn).toBeGreaterThan(8);
    expect(drawn).toBeLessThan(MAX_DRAWN);
    expect(await longestTask()).toBeLessThan(LONGEST_TASK_MS);
  });

  test('are scrolled through without gaps', async () => {
    for (const share of [0.25, 0.5, 0.75, 1]) {
      await visitor.page.evaluate(`scrollTo(0, document.documentElement.scrollHeight * ${share})`);
      await eventually(async () => {
        const [first, last] = await visitor.page.evaluate<[number, number]>(
          `[...document.querySelectorAll('.table-body [role=row]')].flatMap((row, n, all) =>
            n === 0 || n === all.length - 1 ? [row.getBoundingClientRect()[n === 0 ? 'top' : 'bottom']] : [])`,
        );
        expect(first).toBeLessThan(0);
        expect(last).toBeGreaterThan(share === 1 ? 300 : 800);
      });
      expect(await rows().count()).toBeLessThan(MAX_DRAWN);
    }
    await visitor.page.getByRole('link', { name: 'Model' }).waitFor();
    expect(await longestTask()).toBeLessThan(LONGEST_TASK_MS);
  });

  test('are found by name while one types, and by status', async () => {
    const { page } = visitor;
    await page.getByLabel('Search').pressSequentially('branch 0777');
    await eventually(async () => expect(await rows().count()).toBe(1));
    await page.getByRole('link', { name: 'Branch 0777' }).waitFor();
    await page.getByText('1 of 1000 shown').waitFor();
    expect(new URL(page.url()).searchParams.get('q')).toBe('branch 0777');
    await page.getByLabel('Search').fill('');
    await page.getByLabel('Status', { exact: true }).selectOption({ label: 'Banned' });
    const banned = (CONNECTIONS - 1) / CONNECTION_STATUSES.length;
    await eventually(async () => {
      const found = Number(await counted()) - 1;
      expect([Math.floor(banned), Math.ceil(banned)]).toContain(found);
    });
    expect(await rows().filter({ hasNotText: 'Banned' }).count()).toBe(0);
    await page.getByLabel('Status', { exact: true }).selectOption({ label: 'Every status' });
    await eventually(async () => expect(await counted()).toBe(String(CONNECTIONS + 1)));
    expect(await longestTask()).toBeLessThan(LONGEST_TASK_MS);
  });

  test('stay live: one that changes changes in its place', async () => {
    await visitor.page.getByLabel('Search').fill('Model');
    await world.api.ask('POST', `/connection/${model.connectionId}/start`);
    await rows().getByText('Waiting for the phone').waitFor();
    await world.api.ask('POST', `/connection/${model.connectionId}/stop`);
    await rows().getByText('Stopped', { exact: true }).waitFor();
    visitor.expectNoHarm();
  });
});
