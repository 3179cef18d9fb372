import { createTrafficMeter } from '../../../lib/messaging/traffic-meter.ts';
import { createManualClock } from '../../helpers/manual-clock.ts';

test('counts the messages of the last 60 seconds, and forgets the older ones', async () => {
  const clock = createManualClock();
  const meter = createTrafficMeter(clock);
  expect(meter.perMinute()).toBe(0);
  meter.count(5);
  await clock.advance(30_000);
  meter.count(2);
  expect(meter.perMinute()).toBe(7);
  await clock.advance(29_000);
  expect(meter.perMinute()).toBe(7);
  await clock.advance(1_000);
  expect(meter.perMinute()).toBe(2);
  await clock.advance(30_000);
  expect(meter.perMinute()).toBe(0);
});

test('a long silence leaves nothing behind', async () => {
  const clock = createManualClock();
  const meter = createTrafficMeter(clock);
  for (let second = 0; second < 90; second += 1) {
    meter.count(1);
    await clock.advance(1_000);
  }
  expect(meter.perMinute()).toBe(59);
  await clock.advance(3_600_000);
  meter.count(1);
  expect(meter.perMinute()).toBe(1);
});
