import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { MUTANTS, mutate } from '../test/helpers/schedules/mutants.ts';
import { loadProduct } from '../test/helpers/schedules/product.ts';
import { drawSchedule } from '../test/helpers/schedules/schedule.ts';
import { runSeeds } from '../test/helpers/schedules/seeds.ts';
import { runSchedule } from '../test/helpers/schedules/world.ts';

const HELP = `npm run schedules -- [--count 1000] [--seed S] [--mutants]
npm run schedules -- --only SEED

Whole session-nodes in one process, on clocks, stores, locks, a network and a WhatsApp that a seed decides about: crashes,
pauses, suspended machines, partitions, flushes, outages, slow and lost and late commands.
  --count     how many schedules. Default 1,000
  --seed      of the whole run; schedule N has the seed S-N
  --mutants   runs protocols that were broken on purpose instead: each has to be seen within --count schedules
  --only      runs one schedule and tells what happened in it, line by line

Prints figures as JSON and ends with 1 when a promise was broken (PROMISES: P1, P2, and a session that nobody runs).`;

const { values: flags } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    seed: { type: 'string', default: randomBytes(4).toString('hex') },
    only: { type: 'string' },
    mutants: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
const count = Number(flags.count);

if (flags.help) console.log(HELP);
else if (flags.only) await tellOne(flags.only);
else if (flags.mutants) await runMutants();
else await runAll();

async function tellOne(seed: string): Promise<void> {
  const trace = (line: string) => console.log(line);
  const { violations, counts, recoveredAfter } = await runSchedule(drawSchedule(seed), {
    product: await loadProduct(),
    trace,
  });
  finish({ seed, violations, counts, recoveredAfterMs: recoveredAfter }, violations.length > 0);
}

async function runAll(): Promise<void> {
  const report = await runSeeds({ product: await loadProduct(), seed: flags.seed, count, onFailure, onProgress });
  finish(report, report.failed.length > 0);
}

async function runMutants(): Promise<void> {
  const caught: Record<string, number | null> = {};
  for (const mutant of MUTANTS) {
    const { product, remove } = await mutate(mutant);
    const { timings = {} } = mutant;
    const report = await runSeeds({ product, timings, seed: flags.seed, count, stopAtFailure: true });
    caught[mutant.name] = report.failed.length > 0 ? report.schedules : null;
    remove();
  }
  finish({ seed: flags.seed, schedulesUntilCaught: caught }, Object.values(caught).includes(null));
}

function onFailure({ seed, violations }: { seed: string; violations: readonly string[] }): void {
  console.error(`${seed}: ${violations.slice(0, 3).join('; ')}\n  npm run schedules -- --only ${seed}`);
}

function onProgress(done: number): void {
  if (done % 500 === 0) console.error(`${done} of ${count} schedules`);
}

function finish(report: object, broken: boolean): void {
  console.log(JSON.stringify(report, null, 2));
  process.exitCode = broken ? 1 : 0;
}
