import { createStamps, createTravelWatch, type Stamp } from '../../../lib/cluster/travel-time.ts';

/** Two hosts whose clocks have nothing to do with each other. */
function hosts() {
  let time = 0;
  let suspendedMs = 0;
  const sender = { monotonic: () => time - suspendedMs + 5_000_000, now: () => time + 1_700_000_000_000 };
  const receiver = { monotonic: () => time + 77 };
  return {
    stamp: createStamps(sender),
    lateness: createTravelWatch(receiver),
    pass: (ms: number) => {
      time += ms;
    },
    suspendSender: (ms: number) => {
      time += ms;
      suspendedMs += ms;
    },
  };
}

/** A heartbeat every 2 s that takes 1 ms. */
function heartbeats({ stamp, lateness, pass }: ReturnType<typeof hosts>, forMs: number): void {
  for (let at = 0; at < forMs; at += 2_000) {
    const heartbeat = stamp();
    pass(1);
    expect(lateness(heartbeat)).toBeLessThanOrEqual(1);
    pass(1_999);
  }
}

test('what comes as fast as ever is not late, what was held up is late by that much', () => {
  const world = hosts();
  heartbeats(world, 10_000);
  const held = world.stamp();
  world.pass(28_001);
  expect(world.lateness(held)).toBe(28_000);
  heartbeats(world, 4_000);
});

test('everything that a pause held up is late, however long the pause and however many', () => {
  const world = hosts();
  heartbeats(world, 60_000);
  const held: Stamp[] = [];
  for (let n = 0; n < 1_000; n++) {
    held.push(world.stamp());
    world.pass(100);
  }
  world.pass(600_000);
  for (const stamp of held) expect(world.lateness(stamp)).toBeGreaterThan(599_000);
  heartbeats(world, 120_000);
});

test('clocks that drift apart do not make anything late', () => {
  const world = hosts();
  let drift = 0;
  for (let n = 0; n < 5_000; n++) {
    const { by, at } = world.stamp();
    drift += 0.1;
    expect(world.lateness({ by, at: at - drift })).toBeLessThan(20);
    world.pass(2_000);
  }
});

test('a sender whose machine was suspended is not late for ever', () => {
  const world = hosts();
  heartbeats(world, 10_000);
  world.suspendSender(60_000);
  expect(world.lateness(world.stamp())).toBe(0);
  heartbeats(world, 10_000);
});

test('nothing can be said of the first packet of a process', () => {
  const world = hosts();
  const first = world.stamp();
  world.pass(60_000);
  expect(world.lateness(first)).toBe(0);
});
