import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { runRestartScenario } from './chaos/restart.ts';
import { type Report, runScenarios } from './chaos/runner.ts';
import { SCENARIOS } from './chaos/scenarios/index.ts';

const RESTART = 'restart';
const named = [
  ...SCENARIOS.map(({ name, description, covers }) => [name, description, covers]),
  [RESTART, 'embedded, one process: kill -9 at random moments; it comes back without a QR code', 'P3, P4, P6, P7, P8'],
];

const HELP = `npm run chaos -- --scenario NAME[,NAME]|all [--seed S] [--short] [--connections N] [--rounds N] [--nodes N]

Starts a local WhatsApp and Castellan as processes on real servers, drives traffic both ways through the REST API, and
does harm. Prints what the witness saw as JSON, and ends with 1 when a promise was broken. --short is the version of
every day; the long one is for figures (docs/promises.md).

${named.map(([name = '', description, covers]) => `  ${name.padEnd(20)}${description} (${covers})`).join('\n')}

The numbers are those of the fault catalogue and of the promises in docs/promises.md.`;

const { values: flags } = parseArgs({
  options: {
    scenario: { type: 'string' },
    short: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    connections: { type: 'string' },
    nodes: { type: 'string' },
    seed: { type: 'string', default: randomBytes(4).toString('hex') },
    help: { type: 'boolean' },
  },
});
const wanted = flags.scenario?.split(',') ?? [];
const unknown = wanted.filter((one) => one !== 'all' && !named.some(([name]) => name === one));
if (flags.help || wanted.length === 0 || unknown.length > 0) {
  console.log(HELP);
  process.exit(flags.help ? 0 : 2);
}

const log = (text: string) => console.error(text);
const numbers = Object.fromEntries(
  Object.entries({ rounds: flags.rounds, connections: flags.connections, nodes: flags.nodes }).flatMap(
    ([name, value]) => (value === undefined ? [] : [[name, Number(value)]]),
  ),
);
const isWanted = (name: string) => wanted.includes('all') || wanted.includes(name);
const broken: string[] = [];

function show(report: object & Pick<Report, 'scenario' | 'broken'>): void {
  console.log(JSON.stringify(report, null, 2));
  broken.push(...report.broken.map((text) => `${report.scenario}: ${text}`));
}

async function runEmbeddedRestart(): Promise<void> {
  const rounds = numbers.rounds ?? (flags.short ? 4 : 100);
  const connections = numbers.connections ?? (flags.short ? 3 : 5);
  const report = await runRestartScenario({ rounds, connections, seed: flags.seed, log });
  const figures = [
    'lostSends',
    'shownTwice',
    'inversions',
    'decryptFailures',
    'newRegistrations',
    'doubledInbound',
  ] as const;
  show({
    scenario: RESTART,
    ...report,
    broken: figures.filter((figure) => report[figure] > 0).map((figure) => `${figure} is ${report[figure]}`),
  });
}

if (isWanted(RESTART)) await runEmbeddedRestart();
const scenarios = SCENARIOS.filter(({ name }) => isWanted(name));
const options = { short: flags.short, seed: flags.seed, changes: numbers, log };
for await (const report of runScenarios(scenarios, options)) show(report);

for (const text of broken) console.error(`broken: ${text}`);
process.exit(broken.length > 0 ? 1 : 0);
