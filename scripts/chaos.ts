import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { runRestartScenario } from './chaos/restart.ts';

const HELP = `npm run chaos -- --scenario restart [--rounds 100] [--connections 5] [--seed S]

Starts a local WhatsApp and Castellan as a process, drives traffic both ways, and does harm to it.
  restart   kill -9 of the process at random moments; it must come back without a QR code and lose nothing

Prints the witness's figures as JSON and ends with 1 when a promise was broken.`;

const { values: flags } = parseArgs({
  options: {
    scenario: { type: 'string' },
    rounds: { type: 'string', default: '100' },
    connections: { type: 'string', default: '5' },
    seed: { type: 'string', default: randomBytes(4).toString('hex') },
    help: { type: 'boolean' },
  },
});
if (flags.help || flags.scenario !== 'restart') {
  console.log(HELP);
  process.exit(flags.help ? 0 : 2);
}

const report = await runRestartScenario({
  rounds: Number(flags.rounds),
  connections: Number(flags.connections),
  seed: flags.seed,
  log: (text) => console.error(text),
});
console.log(JSON.stringify(report, null, 2));

const broken = (
  ['lostSends', 'shownTwice', 'inversions', 'decryptFailures', 'newRegistrations', 'doubledInbound'] as const
).filter((figure) => report[figure] > 0);
if (broken.length > 0) console.error(`broken: ${broken.join(', ')}`);
process.exit(broken.length > 0 ? 1 : 0);
