import { setTimeout as delay } from 'node:timers/promises';
import { median } from '../median.ts';
import type { Subject } from '../subjects/subject.ts';
import { type BenchOptions, type Comparison, compare, type Figure } from './scenario.ts';

/** After the last login: history notices, pre-key checks and app-state syncs pass. */
const SETTLE_MS = 5_000;
const MIB = 2 ** 20;
/** how long the process with one connection is watched, which only tells what the program itself takes */
const BASE_IDLE_SECONDS = 5;
const PER_CONNECTION = ['resident', 'resident after GC', 'heap after GC'];

/** What a connection takes is what many take more than one, so that the program itself is not counted. */
export async function compareMemory(options: BenchOptions, say: (line: string) => void): Promise<Comparison> {
  const base = await compare({ ...options, connections: 1, idleSeconds: BASE_IDLE_SECONDS }, measureMemory, say);
  const full = await compare(options, measureMemory, say);
  const more = (round: Figure[], at: keyof Comparison): Figure[] => [
    ...round,
    ...PER_CONNECTION.map((name) => {
      const ofOne = median(base[at].map((figures) => figureOf(figures, name)));
      const each = (figureOf(round, name) - ofOne) / (options.connections - 1);
      return { name: `${name}, each further connection`, unit: 'KiB', value: each * 1024 };
    }),
  ];
  return {
    castellan: full.castellan.map((round) => more(round, 'castellan')),
    bare: full.bare.map((round) => more(round, 'bare')),
  };
}

const figureOf = (figures: readonly Figure[], name: string): number =>
  figures.find((figure) => figure.name === name)?.value ?? Number.NaN;

/** Connections that do nothing: what they hold and what they cost. */
async function measureMemory(subject: Subject, { idleSeconds }: BenchOptions): Promise<Figure[]> {
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
      { name: 'heap held after GC', unit: 'MiB', value: live.heapTotal / MIB },
      { name: 'external after GC', unit: 'MiB', value: live.external / MIB },
      { name: 'CPU while idle', unit: 's/min', value: (cpuSeconds / idleSeconds) * 60 },
    ];
  } finally {
    await running.stop();
  }
}
