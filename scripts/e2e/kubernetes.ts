import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { commandOf } from './command.ts';
import { createE2eCluster, type E2eCluster } from './e2e-cluster.ts';
import type { LongGap, StepReport, WitnessedStep } from './measurement.ts';
import { STEPS } from './steps.ts';

const HELP = `npm run e2e:k8s [-- --connections 40] [--pause-ms 10000] [--steps scale-up,rollout,...] [--output FILE] [--keep]

Applies k8s/overlays/e2e, pairs the connections through the real API, lets traffic run both ways all along, and does to
the session-nodes what administrators and bad days do. Prints what the local WhatsApp witnessed as JSON, for each step and
second by second, and ends with 1 when a promise was broken. The images castellan:e2e, castellan-simulator:e2e, nats:2,
redis:7 and mongo:7 must be there for the cluster.

KUBECTL is the command line of kubectl, "kubectl" when it is not set.
Steps: ${STEPS.map(({ name }) => name).join(', ')}
  --keep   leaves everything up`;

const { values: flags } = parseArgs({
  options: {
    connections: { type: 'string', default: '40' },
    'pause-ms': { type: 'string', default: '10000' },
    steps: { type: 'string' },
    output: { type: 'string' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean' },
  },
});
if (flags.help) {
  console.log(HELP);
  process.exit(0);
}

const say = (text: string) => process.stderr.write(`${text}\n`);
const wanted = flags.steps?.split(',') ?? STEPS.map(({ name }) => name);
const cluster = createE2eCluster(commandOf(process.env.KUBECTL ?? 'kubectl'), Number(flags.connections), say);

/** A rule that does not hold for a step, in words. */
function brokenBy(report: StepReport): string[] {
  const { gapMs = 2_000, mayRepeat = false } = STEPS.find(({ name }) => name === report.step) ?? {};
  const zero = ['overlaps', 'lost', 'lostInbound', 'shownTwice', 'doubledInbound', 'decryptFailures'] as const;
  const broken: string[] = zero.filter((figure) => report[figure] > 0);
  if (!mayRepeat && report.repeatedIds > 0) broken.push('repeatedIds');
  if (report.gaps.p99 > gapMs) broken.push(`gap p99 ${report.gaps.p99} ms > ${gapMs} ms`);
  return broken.map((figure) => `${report.step}: ${figure}`);
}

async function walk(e2e: E2eCluster): Promise<string[]> {
  await e2e.up();
  await e2e.ask('POST', '/traffic', { connections: Number(flags.connections), pauseMs: Number(flags['pause-ms']) });
  await e2e.settled(['session-node-0', 'session-node-1']);
  const broken: string[] = [];
  const findings: Record<string, unknown> = {};
  const witnessed: WitnessedStep[] = [];
  const longGaps: Record<string, LongGap[]> = {};
  for (const { name, run } of STEPS) {
    if (!wanted.includes(name)) continue;
    say(`== ${name}`);
    await e2e.ask('POST', '/steps/begin', { step: name });
    try {
      const { found, problems } = await run(e2e);
      if (found) findings[name] = found;
      broken.push(...problems.map((problem) => `${name}: ${problem}`));
    } catch (error) {
      /* what was seen until then is worth counting */
      broken.push(`${name}: ${(error as Error).message}`);
      say(await e2e.whatIsThere());
      break;
    } finally {
      const ended = (await e2e.ask('POST', '/steps/end')) as { witnessed: WitnessedStep; longGaps: LongGap[] };
      witnessed.push(ended.witnessed);
      longGaps[name] = ended.longGaps;
      say(summaryOf([ended.witnessed]));
      for (const gap of ended.longGaps) say(JSON.stringify(gap, null, 2));
    }
  }
  say('== counting');
  /* should nobody be there to be counted with, this much is known */
  if (flags.output)
    writeFileSync(flags.output, `${JSON.stringify({ findings, witnessed, longGaps, broken }, null, 2)}\n`);
  const steps = (await e2e.ask('POST', '/finish')) as StepReport[];
  broken.push(...steps.flatMap(brokenBy));
  const figures = {
    connections: Number(flags.connections),
    memory: await e2e.memory(),
    findings,
    steps,
    longGaps,
    broken,
  };
  const text = JSON.stringify(figures, null, 2);
  if (flags.output) writeFileSync(flags.output, `${text}\n`);
  console.log(flags.output ? summaryOf(steps) : text);
  return broken;
}

/** One line a step. */
function summaryOf(steps: readonly WitnessedStep[]): string {
  return steps.map(({ timeline: _, ...figures }) => JSON.stringify(figures)).join('\n');
}

let broken = ['nothing was measured'];
try {
  broken = await walk(cluster);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  say(await cluster.whatIsThere());
} finally {
  if (!flags.keep) await cluster.down();
}
for (const rule of broken) say(`broken: ${rule}`);
process.exit(broken.length > 0 ? 1 : 0);
