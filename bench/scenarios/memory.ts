import { setTimeout as delay } from 'node:timers/promises';
import type { Subject } from '../subjects/subject.ts';
import type { BenchOptions, Figure } from './scenario.ts';

/** After the last login: history notices, pre-key checks and app-state syncs pass. */
const SETTLE_MS = 5_000;
const MIB = 2 ** 20;

/** Connections that do nothing: what they hold and what they cost. */
export async function measureMemory(subject: Subject, { connections, idleSeconds }: BenchOptions): Promise<Figure[]> {
  const running = await subject.start();
  try {
    await delay(SETTLE_MS);
    const { process } = running;
    const cpuBefore = process.cpuSeconds();
    await delay(idleSeconds * 1000);
    const cpuSeconds = process.cpuSeconds() - cpuBefore;
    const residentBytes = process.residentBytes();
    const live = await process.liveMemory();
    return [
      { name: 'resident', unit: 'MiB', value: residentBytes / MIB },
      { name: 'resident after GC', unit: 'MiB', value: live.rss / MIB },
      { name: 'heap after GC', unit: 'MiB', value: live.heapUsed / MIB },
      { name: 'external after GC', unit: 'MiB', value: live.external / MIB },
      { name: 'resident per connection', unit: 'MiB', value: residentBytes / MIB / connections },
      { name: 'heap per connection', unit: 'KiB', value: live.heapUsed / 1024 / connections },
      { name: 'CPU while idle', unit: 's/min', value: (cpuSeconds / idleSeconds) * 60 },
    ];
  } finally {
    await running.stop();
  }
}
