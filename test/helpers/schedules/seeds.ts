import type { OwnershipTimings } from '../../../lib/timings.ts';
import type { Product } from './product.ts';
import { drawSchedule } from './schedule.ts';
import { type RunResult, runSchedule } from './world.ts';

export interface SeedsOptions {
  product: Product;
  timings?: Partial<OwnershipTimings>;
  /** schedule N has the seed `seed-N` */
  seed: string;
  count: number;
  stopAtFailure?: boolean;
  onFailure?(result: RunResult): void;
  onProgress?(done: number): void;
}

export interface SeedsReport {
  seed: string;
  schedules: number;
  failed: string[];
  counts: RunResult['counts'];
  /** from the end of all harm until every connection ran again, ms of the world */
  recoveryMs: { p50: number; p99: number; max: number };
  /** CPU time of one schedule, ms */
  cpuMsEach: number;
}

/** Runs many schedules, one after the other. */
export async function runSeeds(options: SeedsOptions): Promise<SeedsReport> {
  const { product, timings = {}, seed, count } = options;
  const results: RunResult[] = [];
  const began = process.cpuUsage();
  for (let n = 0; n < count; n += 1) {
    const result = await runSchedule(drawSchedule(`${seed}-${n}`), { product, timings });
    results.push(result);
    const failed = result.violations.length > 0;
    if (failed) options.onFailure?.(result);
    if (failed && options.stopAtFailure) break;
    options.onProgress?.(n + 1);
  }
  return reportOf(seed, results, began);
}

function reportOf(seed: string, results: readonly RunResult[], began: NodeJS.CpuUsage): SeedsReport {
  const { user, system } = process.cpuUsage(began);
  const counts = { logins: 0, frames: 0, entries: 0, takeovers: 0, silentReplacements: 0, conflicts: 0 };
  for (const result of results) {
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] += result.counts[name];
  }
  const times = results.map(({ recoveredAfter }) => recoveredAfter ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return {
    seed,
    schedules: results.length,
    failed: results.filter(({ violations }) => violations.length > 0).map((result) => result.seed),
    counts,
    recoveryMs: { p50: at(0.5), p99: at(0.99), max: times.at(-1) ?? 0 },
    cpuMsEach: Math.round(((user + system) / 1_000 / results.length) * 10) / 10,
  };
}
