import { describe, expect, test } from '@jest/globals';
import { createSilenceWatch } from '../../../lib/cluster/silence-watch.ts';
import { createManualClock } from '../../helpers/manual-clock.ts';

const GAP_MS = 3_000;

/** A watch that reads every 500 ms what `rows` says, each read answered at once. */
function setUp() {
  const clock = createManualClock();
  const watch = createSilenceWatch(clock, GAP_MS);
  const rows: Parameters<typeof watch.heard>[0][number][] = [{ _id: 'a', incarnation: '1', counter: 1 }];
  async function listen(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      await clock.advance(500);
      watch.heard(rows, clock.monotonic());
    }
  }
  return { clock, watch, rows, listen, first: rows[0] as (typeof rows)[0] };
}

describe('the silence of an owner', () => {
  test('is what was listened to without its counter moving', async () => {
    const { watch, listen } = setUp();
    await listen(500);
    expect(watch.silentForMs('a:1')).toBe(0);
    await listen(10_000);
    expect(watch.silentForMs('a:1')).toBe(10_000);
  });

  test('ends with its next heartbeat', async () => {
    const { watch, first, listen } = setUp();
    await listen(9_500);
    first.counter += 1;
    await listen(500);
    expect(watch.silentForMs('a:1')).toBe(0);
  });

  test('of one that was never heard of begins with the listening, not before', async () => {
    const { watch, listen } = setUp();
    expect(watch.silentForMs('ghost:1')).toBe(0);
    await listen(500);
    expect(watch.silentForMs('ghost:1')).toBe(0);
    await listen(10_000);
    expect(watch.silentForMs('ghost:1')).toBe(10_000);
  });

  test('begins anew after a read that failed', async () => {
    const { watch, listen } = setUp();
    await listen(9_500);
    watch.interrupted();
    expect(watch.silentForMs('a:1')).toBe(0);
    await listen(1_000);
    expect(watch.silentForMs('a:1')).toBe(500);
  });

  test('begins anew after a gap between two reads, and counts for nothing within it', async () => {
    const { clock, watch, listen } = setUp();
    await listen(9_500);
    await clock.advance(GAP_MS + 1);
    expect(watch.silentForMs('a:1')).toBe(0);
    await listen(1_000);
    expect(watch.silentForMs('a:1')).toBe(500);
  });

  test('of an incarnation whose seat another took begins when that was seen: it cannot beat any more', async () => {
    const { watch, first, listen } = setUp();
    await listen(5_000);
    first.incarnation = '2';
    await listen(500);
    expect(watch.silentForMs('a:1')).toBe(0);
    await listen(7_000);
    expect(watch.silentForMs('a:1')).toBe(7_000);
  });

  test('goes on through that where its row says that its last heartbeat is the one that was heard', async () => {
    const { watch, first, listen } = setUp();
    await listen(500);
    Object.assign(first, { incarnation: '2', former: { incarnation: '1', counter: first.counter, seat: null } });
    await listen(7_000);
    expect(watch.silentForMs('a:1')).toBe(7_000);
    await listen(3_000);
    expect(watch.silentForMs('a:1')).toBe(10_000);
  });

  test('begins anew where it stored another one that nobody heard', async () => {
    const { watch, first, listen } = setUp();
    await listen(5_000);
    Object.assign(first, { incarnation: '2', former: { incarnation: '1', counter: first.counter + 1, seat: null } });
    await listen(500);
    expect(watch.silentForMs('a:1')).toBe(0);
  });

  test('of a node that said farewell is listened to like any other', async () => {
    const { watch, rows, listen } = setUp();
    await listen(5_000);
    rows.length = 0;
    await listen(500);
    expect(watch.silentForMs('a:1')).toBe(0);
    await listen(10_000);
    expect(watch.silentForMs('a:1')).toBe(10_000);
  });

  test('is as old as the question, not as its answer', async () => {
    const { clock, watch, rows } = setUp();
    watch.heard(rows, clock.monotonic());
    const asked = clock.monotonic();
    await clock.advance(2_000);
    watch.heard(rows, asked);
    expect(watch.silentForMs('a:1')).toBe(0);
  });
});
