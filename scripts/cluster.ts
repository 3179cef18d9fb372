import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { answerText } from './cluster/answer-text.ts';
import { type Answer, COMMANDS_HELP, execute } from './cluster/commands.ts';
import { type CommandInput, openInput } from './cluster/input.ts';
import { whenOrphaned } from './cluster/orphaned.ts';
import { readyLine, readyText } from './cluster/ready.ts';
import { type Cluster, startCluster, type WhatsApp } from './harness/cluster/cluster.ts';

/*
 * Castellan as a cluster of processes on this machine, to see failover with one's own eyes: real NATS, Redis and MongoDB,
 * a simulated WhatsApp, and a prompt at which processes are killed, paused, stopped and added.
 */

const HELP = `npm run cluster -- [--session-nodes 3] [--gateways 1] [--services 1] [--simulator false] [--json]

Starts NATS, Redis, a MongoDB-compatible server (or uses NATS_URL, REDIS_URL, MONGO_URL), a simulated WhatsApp (unless
WA_WEBSOCKET_URL is set, or --simulator is false: then the real one), and Castellan as processes by role.
PORT, ADMIN_API_KEY, ENCRYPTION_KEY and DATA_DIR are honoured, and so is the rest of Castellan's environment.

  --json   one line of JSON when everything is ready, then one for every command

Commands, from standard input:
${COMMANDS_HELP}`;

const DEFAULT_PORT = 3000;

const { values: flags } = parseArgs({
  options: {
    'session-nodes': { type: 'string', default: '3' },
    gateways: { type: 'string', default: '1' },
    services: { type: 'string', default: '1' },
    simulator: { type: 'string', default: 'true' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (flags.help) {
  console.log(HELP);
  process.exit(0);
}

function count(name: 'session-nodes' | 'gateways' | 'services'): number {
  const value = Number(flags[name]);
  if (Number.isInteger(value) && value >= 1 && value <= 100) return value;
  console.error(`--${name} must be a whole number from 1 to 100`);
  process.exit(2);
}

function whatsapp({ WA_WEBSOCKET_URL: url, WA_ROOT_PUBLIC_KEY: rootPublicKey }: NodeJS.ProcessEnv): WhatsApp {
  if (url) return { url, ...(rootPublicKey && { rootPublicKey }) };
  return flags.simulator === 'false' ? 'real' : 'own simulator';
}

/** PORT, otherwise 3000, or a free one when that is taken. */
async function gatewayPort(): Promise<number | undefined> {
  if (process.env.PORT) return Number(process.env.PORT) || undefined;
  const free = await new Promise<boolean>((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen(DEFAULT_PORT, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
  return free ? DEFAULT_PORT : undefined;
}

/** What of our own environment is for Castellan; the rest it inherits anyway. */
function ownEnv(kind: WhatsApp): Record<string, string> {
  const { ADMIN_API_KEY = '', ENCRYPTION_KEY = '', LOG_LEVEL = 'warn', ALLOW_PRIVATE_TARGETS } = process.env;
  /* against a simulated WhatsApp, webhooks go to this machine too */
  const privateTargets = ALLOW_PRIVATE_TARGETS ?? String(kind === 'own simulator');
  return { ADMIN_API_KEY, ENCRYPTION_KEY, LOG_LEVEL, ALLOW_PRIVATE_TARGETS: privateTargets };
}

async function start(): Promise<Cluster> {
  const kind = whatsapp(process.env);
  const port = await gatewayPort();
  return startCluster({
    sessionNodes: count('session-nodes'),
    gateways: count('gateways'),
    services: count('services'),
    whatsapp: kind,
    servers: process.env,
    env: ownEnv(kind),
    ...(port !== undefined && { port }),
    ...(process.env.DATA_DIR && { dataDir: process.env.DATA_DIR }),
  });
}

const say = (text: string) => void process.stdout.write(`${text}\n`);
const show = (answer: Answer) => say(flags.json ? JSON.stringify(answer) : answerText(answer));

/** A second signal, or one before anything can be ended in order, leaves by force: what was started dies with us. */
function onSignals(end: () => Promise<void>): void {
  let ending = false;
  const leave = () => {
    if (ending) process.exit(1);
    ending = true;
    end().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, leave);
  process.stdout.on('error', leave);
  whenOrphaned(leave);
}

async function run(): Promise<void> {
  const input = openInput(!flags.json);
  let cluster: Cluster | null = null;
  onSignals(async () => cluster?.stop());
  if (!flags.json) say('Starting: servers first, then Castellan. The first start fetches what is missing.');
  cluster = await start();
  say(flags.json ? JSON.stringify(readyLine(cluster)) : `\n${readyText(cluster)}\n\n${COMMANDS_HELP}\n`);
  input.prompt();
  const quit = await obey(cluster, input);
  if (!quit) return;
  await cluster.stop();
  show({ event: 'quit' });
  process.exit(0);
}

/** @returns whether the cluster is to end */
async function obey(cluster: Cluster, input: CommandInput): Promise<boolean> {
  for await (const line of input.lines) {
    const answer = line.trim() === '' ? null : await execute(cluster, line);
    if (answer?.event === 'quit') return true;
    if (answer) show(answer);
    input.prompt();
  }
  return input.endIsQuit;
}

try {
  await run();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  if (flags.json) say(JSON.stringify({ event: 'error', message }));
  console.error(message);
  process.exit(1);
}
