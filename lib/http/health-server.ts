import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '../log.ts';
import { createHttpServer } from './http-server.ts';
import { isLoopback } from './loopback.ts';
import { createProcessMetrics, gauge, PROMETHEUS_TYPE } from './prometheus.ts';

/** What a session-node says to a probe. */
export interface NodeHealth {
  /** what runs here, and how much of it is open */
  connections: number;
  open: number;
  /** sessions that this node is meant for */
  capacity: number;
  /** it begins nothing any more: it stops, stands aside, or another process has its seat */
  draining: boolean;
}

/** What is asked of the process behind the probes. */
export interface HealthSubject {
  /** undefined where it runs no sessions */
  node(): NodeHealth | undefined;
  /** Hands over what runs here and begins nothing more; resolves when nothing runs any more. Idempotent. */
  drain(): Promise<void>;
}

/**
 * Answers the probes of a process beside its work, whatever its services are:
 *  - `GET /health/live`: 200 as long as the event loop turns;
 *  - `GET /health/ready`: 200 from the end of the start until the drain begins. Stores do not count: what takes every
 *    process of a cluster out at once when a database blinks turns a blink into an outage;
 *  - `GET /metrics`: Prometheus;
 *  - `POST /drain`, from this machine (or pod) only: what SIGTERM does to sessions, ahead of it. Answers when it is done.
 */
export interface HealthServer {
  /** @throws CONFIG_INVALID when the address cannot be had */
  listen(): Promise<void>;
  url(): string;
  /** The start is over: ready from now on. */
  ready(subject: HealthSubject): void;
  /** The stop has begun: not ready from now on. */
  stopping(): void;
  close(): Promise<void>;
}

export interface HealthServerOptions {
  host: string;
  port: number;
  log: Log;
}

type Answer = (res: ServerResponse, req: IncomingMessage) => void | Promise<void>;

export function createHealthServer({ host, port, log }: HealthServerOptions): HealthServer {
  const http = createHttpServer({ host, port, variable: 'HEALTH_PORT' });
  const metrics = createProcessMetrics();
  let subject: HealthSubject | null = null;
  let stopping = false;
  let draining: Promise<void> | null = null;

  function notReady(): string | null {
    if (stopping || draining || subject?.node()?.draining) return 'draining';
    return subject ? null : 'starting';
  }

  async function drain(res: ServerResponse, { socket }: IncomingMessage): Promise<void> {
    if (!isLoopback(socket.remoteAddress)) return send(res, 403, { status: 'forbidden' });
    if (!subject) return send(res, 503, { status: 'starting' });
    const began = performance.now();
    draining ??= subject.drain();
    try {
      await draining;
    } catch (error) {
      log.error({ err: error }, 'A drain that was asked for failed.');
      return send(res, 500, { status: 'failed' });
    }
    const tookMs = Math.round(performance.now() - began);
    send(res, 200, { status: 'drained', sessions: subject.node()?.connections ?? 0, tookMs });
  }

  const answers: Record<string, Answer> = {
    'GET /health/live': (res) => send(res, 200, { status: 'live' }),
    'GET /health/ready': (res) => {
      const reason = notReady();
      send(res, reason === null ? 200 : 503, { status: reason ?? 'ready' });
    },
    'GET /metrics': (res) => {
      const lines = [...nodeLines(subject?.node()), ...metrics.lines()];
      res.writeHead(200, { 'content-type': PROMETHEUS_TYPE }).end(`${lines.join('\n')}\n`);
    },
    'POST /drain': drain,
  };

  http.onRequest((req, res) => {
    const path = req.url?.split('?')[0];
    const answer = answers[`${req.method} ${path}`];
    if (answer) void answer(res, req);
    else send(res, 404, { status: 'not-found' });
  });

  return {
    async listen() {
      await http.listen();
      metrics.start();
    },
    url: http.url,
    ready(of) {
      subject = of;
    },
    stopping() {
      stopping = true;
    },
    async close() {
      await http.drain();
      metrics.stop();
    },
  };
}

function send(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}

function nodeLines(node: NodeHealth | undefined): string[] {
  if (!node) return [];
  const own = (name: string, help: string, value: number) => gauge(`castellan_node_${name}`, help, [['', value]]);
  return [
    ...own('sessions', 'Sessions that run on this node.', node.connections),
    ...own('sessions_open', 'Sessions that are logged in to WhatsApp.', node.open),
    ...own('capacity', 'Sessions that this node is meant for, its weight in the placement.', node.capacity),
    ...own('draining', '1 while this node hands over and begins nothing more.', Number(node.draining)),
  ];
}
