import { writeFileSync } from 'node:fs';

/*
 * Loaded into every process that is measured (`--import ./bench/probe.ts --expose-gc`). On SIGUSR2 it collects garbage
 * and writes what is left to the file that BENCH_PROBE_FILE names. It costs nothing while it is not asked.
 */
const file = process.env.BENCH_PROBE_FILE;

/** the young generation is promoted by the first collection and may free more in the next */
const COLLECTIONS = 3;

process.on('SIGUSR2', () => {
  if (!file) return;
  for (let n = 0; n < COLLECTIONS; n += 1) globalThis.gc?.();
  writeFileSync(file, `${JSON.stringify(process.memoryUsage())}\n`);
});
