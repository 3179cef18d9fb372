import { createServer, type IncomingMessage } from 'node:http';
import type { User } from '../../lib/contracts/entities.ts';
import { startSimulator } from '../../simulator/index.ts';
import { createApiClient } from '../harness/api-client.ts';
import { openLines } from './lines.ts';
import { runMainJob } from './main-job.ts';
import { type Measurement, startMeasurement } from './measurement.ts';
import { SIMULATOR } from './simulator-address.ts';

/*
 * What runs beside the cluster in a container of its own: a local WhatsApp, its phones and contacts, and the traffic.
 * The end-to-end scripts outside tell it what to do over the HTTP below (from inside its container, see ask.ts), so they
 * need no way into the cluster's network but the engine's own `exec`.
 */

const { GATEWAY_URL = 'http://gateway:3000', ADMIN_API_KEY = '' } = process.env;
const PORT = 8810;

const simulator = await startSimulator({
  host: '0.0.0.0',
  publicHost: SIMULATOR.host,
  port: 8800,
  controlPort: 8801,
  mediaPort: 8802,
  seed: SIMULATOR.seed,
});
const admin = createApiClient(GATEWAY_URL, ADMIN_API_KEY);
let measurement: Measurement | null = null;

function running(): Measurement {
  if (!measurement) throw new Error('there is no traffic yet');
  return measurement;
}

type Handler = (body: Record<string, unknown>) => unknown;

const handlers: Record<string, Handler> = {
  'GET /state': () => measurement?.state() ?? { open: 0 },
  'POST /main-job': ({ connections }) =>
    runMainJob({
      gatewayUrl: GATEWAY_URL,
      admin,
      simulator,
      connections: Number(connections),
      publicHost: SIMULATOR.host,
    }),
  async 'POST /traffic'({ connections, pauseMs }) {
    const { userId } = await admin.ask<User>('POST', '/user/create', { username: 'e2e', email: 'e2e@example.org' });
    const lines = await openLines(admin, simulator, userId, Number(connections));
    measurement = startMeasurement(admin, simulator, lines, Number(pauseMs));
    return { connections: lines.length };
  },
  'POST /steps/begin': ({ step }) => running().begin(String(step)),
  async 'POST /steps/end'() {
    const witnessed = running().end();
    return witnessed && { witnessed, longGaps: await running().longGaps(witnessed) };
  },
  'POST /note': ({ text }) => running().note(String(text)),
  async 'POST /finish'() {
    const report = await running().finish();
    /* for whoever reads the container's log instead */
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return report;
  },
};

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const text = Buffer.concat(await request.toArray()).toString('utf8');
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

const server = createServer(async (request, response) => {
  const handler = handlers[`${request.method} ${request.url}`];
  try {
    if (!handler) return void response.writeHead(404).end();
    const result = (await handler(await bodyOf(request))) ?? {};
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
  } catch (error) {
    response.writeHead(500).end(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
});
server.listen(PORT, '0.0.0.0');
process.once('SIGTERM', () => process.exit(0));
