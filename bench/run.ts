import { parseArgs } from 'node:util';
import { conditions, figuresTable, machine, table } from './report.ts';
import { compareMemory } from './scenarios/memory.ts';
import { countRoundTrips, roundTripsTable } from './scenarios/round-trips.ts';
import type { BenchOptions, Compare } from './scenarios/scenario.ts';
import { measureSimulator } from './scenarios/simulator.ts';
import { compareReceive, compareSend } from './scenarios/throughput.ts';

const HELP = `npm run bench -- memory|send|receive [options]     Castellan against bare Baileys, in the same run
npm run bench -- round-trips [options]             calls of the store for each message
npm run bench -- simulator [options]               what the local WhatsApp itself can carry

  --connections N     200 for memory, 30 for send and receive, 10 for round-trips, 1000 for simulator
  --chats N           of each connection (4; memory has none)
  --messages N        in each chat (25)
  --rounds N          of each subject, in turn (3)
  --idle-seconds N    how long memory watches the CPU (60)
  --node-flag FLAG    for both processes that are measured; may be given more than once
`;

interface Scenario {
  /** @returns the result as a Markdown table */
  run(options: BenchOptions, say: (line: string) => void): Promise<string>;
  connections: number;
  idle: boolean;
}

const comparing =
  (compare: Compare): Scenario['run'] =>
  async (options, say) =>
    table(await compare(options, say));

const SCENARIOS: Record<string, Scenario> = {
  memory: { run: comparing(compareMemory), connections: 200, idle: true },
  send: { run: comparing(compareSend), connections: 30, idle: false },
  receive: { run: comparing(compareReceive), connections: 30, idle: false },
  'round-trips': {
    run: async (options, say) => roundTripsTable(await countRoundTrips(options, say)),
    connections: 10,
    idle: false,
  },
  simulator: {
    run: async (options, say) => figuresTable(await measureSimulator(options, say)),
    connections: 1_000,
    idle: true,
  },
};

function fail(reason: string): never {
  process.stderr.write(`${reason}\n\n${HELP}`);
  process.exit(2);
}

function whole(name: string, text: string): number {
  const value = Number(text);
  return Number.isSafeInteger(value) && value > 0 ? value : fail(`--${name} must be a whole number from 1.`);
}

function read(): { name: string; scenario: Scenario; options: BenchOptions } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      connections: { type: 'string' },
      chats: { type: 'string', default: '4' },
      messages: { type: 'string', default: '25' },
      rounds: { type: 'string', default: '3' },
      'idle-seconds': { type: 'string', default: '60' },
      'node-flag': { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const name = positionals[0] ?? '';
  const scenario = SCENARIOS[name] ?? fail(`There is no scenario "${name}".`);
  const options: BenchOptions = {
    connections: values.connections ? whole('connections', values.connections) : scenario.connections,
    chats: scenario.idle ? 0 : whole('chats', values.chats),
    messages: whole('messages', values.messages),
    rounds: whole('rounds', values.rounds),
    idleSeconds: whole('idle-seconds', values['idle-seconds']),
    nodeFlags: values['node-flag'],
  };
  return { name, scenario, options };
}

const { name, scenario, options } = read();
const say = (line: string) => void process.stderr.write(`${line}\n`);
const result = await scenario.run(options, say);
process.stdout.write(`\n### ${name}\n\n${conditions(options)}. ${machine()}.\n\n${result}\n`);
process.exit(0);
