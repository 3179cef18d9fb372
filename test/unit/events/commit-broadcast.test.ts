import { createCommitBell } from '../../../lib/events/commit-bell.ts';
import { tellOfCommits } from '../../../lib/events/commit-broadcast.ts';
import type { EventLog } from '../../../lib/events/event-log.port.ts';
import { createManualClock, turns } from '../../helpers/manual-clock.ts';

function world() {
  const clock = createManualClock();
  const bell = createCommitBell(clock);
  let told = 0;
  const log = { onOwnCommit: bell.onOwnRing } as EventLog;
  const stop = tellOfCommits(log, clock, () => {
    told += 1;
  });
  return { clock, bell, stop, told: () => told };
}

test('the first commit is told at once, those of the next 50 ms together', async () => {
  const { clock, bell, told } = world();
  for (let n = 0; n < 100; n++) bell.ring();
  expect(told()).toBe(1);
  await clock.advance(50);
  expect(told()).toBe(2);
  await clock.advance(1_000);
  expect(told()).toBe(2);
  bell.ring();
  expect(told()).toBe(3);
});

test('what another process committed wakes the followers here and is not told again', async () => {
  const { bell, told } = world();
  let woken = 0;
  bell.listen(() => {
    woken += 1;
  });
  bell.ringFromAfar();
  bell.ringFromAfar();
  await turns();
  expect([woken, told()]).toEqual([1, 0]);
});

test('followers look every second without any ring', async () => {
  const { clock, bell } = world();
  let woken = 0;
  const unsubscribe = bell.listen(() => {
    woken += 1;
  });
  await clock.advance(3_000);
  expect(woken).toBe(3);
  unsubscribe();
  await clock.advance(3_000);
  expect([woken, clock.pending]).toEqual([3, 0]);
});

test('nothing is told after the end', async () => {
  const { clock, bell, stop, told } = world();
  bell.ring();
  bell.ring();
  stop();
  await clock.advance(1_000);
  bell.ring();
  expect(told()).toBe(1);
});
