import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type Command, commandOf } from './command.ts';
import type { MainJobReport } from './main-job.ts';
import { SIMULATOR } from './simulator-address.ts';

const HELP = `npm run e2e:compose [-- --session-nodes 3] [--connections 12] [--keep]

Brings docker-compose.yml up with the local WhatsApp beside it (docker-compose.e2e.yml), pairs, sends, receives, gets
webhooks through the REST API, prints the figures as JSON, and takes everything down again. Ends with 1 when something
did not work. The images castellan:e2e and castellan-simulator:e2e must be there:

  docker build --tag castellan:e2e .
  docker build --tag castellan-simulator:e2e --target simulator .

DOCKER is the command line of Docker, "docker" when it is not set.
  --keep   leaves everything up`;

const { values: flags } = parseArgs({
  options: {
    'session-nodes': { type: 'string', default: '3' },
    connections: { type: 'string', default: '12' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean' },
  },
});
if (flags.help) {
  console.log(HELP);
  process.exit(0);
}

const FILES = ['--file', 'docker-compose.yml', '--file', 'docker-compose.e2e.yml'];
const PROJECT = ['compose', '--project-name', 'castellan-e2e', ...FILES];
const UP_TIMEOUT_S = '180';

const env = {
  ADMIN_API_KEY: `e2e-${randomBytes(16).toString('hex')}`,
  ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  MONGO_URL: process.env.E2E_MONGO_URL ?? 'mongodb://mongo:27017/castellan?directConnection=true&retryWrites=false',
  ALLOW_PRIVATE_TARGETS: 'true',
  LOG_LEVEL: 'warn',
  WA_WEBSOCKET_URL: SIMULATOR.url,
  WA_ROOT_PUBLIC_KEY: SIMULATOR.rootPublicKey,
};

const docker = commandOf(process.env.DOCKER ?? 'docker');
const compose = (args: string[], show = false) => docker.run([...PROJECT, ...args], { env, show });
const say = (text: string) => process.stderr.write(`${text}\n`);

async function walk() {
  const began = performance.now();
  const nodes = flags['session-nodes'];
  await compose(['up', '--detach', '--wait', '--wait-timeout', UP_TIMEOUT_S, '--scale', `session-node=${nodes}`], true);
  const upSeconds = Math.round((performance.now() - began) / 1000);
  say(`up after ${upSeconds} s`);
  const answer = await ask('POST', '/main-job', { connections: Number(flags.connections) });
  const report = JSON.parse(answer) as MainJobReport;
  const memoryMiB = await memoryOf(docker);
  const stopping = performance.now();
  await compose(['stop', 'session-node']);
  const stopSeconds = Math.round((performance.now() - stopping) / 100) / 10;
  return { sessionNodes: Number(nodes), upSeconds, ...report, memoryMiB, stopSeconds };
}

const ask = (method: string, path: string, body: object) =>
  compose(['exec', '-T', 'simulator', 'node', 'scripts/e2e/ask.ts', method, path, JSON.stringify(body)]);

/** by container, as the engine counts it */
async function memoryOf(engine: Command): Promise<Record<string, string>> {
  const lines = await engine.run(['stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}}'], { env });
  const rows = lines
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  return Object.fromEntries(rows.map(([name, used]) => [name?.replace('castellan-e2e-', ''), used]));
}

let broken = ['nothing was measured'];
try {
  const report = await walk();
  broken = report.broken;
  console.log(JSON.stringify(report, null, 2));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  const logs = await docker.attempt([...PROJECT, 'logs', '--tail', '40'], { env });
  say(logs.stdout.slice(-20_000));
} finally {
  if (!flags.keep)
    await docker.attempt([...PROJECT, 'down', '--volumes', '--remove-orphans', '--timeout', '20'], { env });
}
if (broken.length > 0) say(`broken: ${broken.join(', ')}`);
process.exit(broken.length > 0 ? 1 : 0);
