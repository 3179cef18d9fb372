import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CastellanError } from '../errors.ts';

/** How long a client may take to send its headers, and its whole request: a slow one holds a socket no longer. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 30_000;
const CHECK_INTERVAL_MS = 2_000;
const MAX_HEADER_BYTES = 16_384;
/** How long a drain waits for requests that are being answered. */
const DRAIN_GRACE_MS = 8_000;
const DRAIN_SWEEP_MS = 50;

export interface HttpServer {
  /** aborted from the moment the drain begins */
  readonly draining: AbortSignal;
  onRequest(handler: (req: IncomingMessage, res: ServerResponse) => void): void;
  /** @throws CONFIG_INVALID when the address cannot be had */
  listen(): Promise<void>;
  url(): string;
  /** Takes no more connections, lets running requests finish for a grace, then cuts. Idempotent. */
  drain(): Promise<void>;
}

export interface HttpServerOptions {
  host: string;
  port: number;
  /** the variable that names the port, for whoever has to change it. Default PORT */
  variable?: string;
}

export function createHttpServer({ host, port, variable = 'PORT' }: HttpServerOptions): HttpServer {
  const draining = new AbortController();
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  let drained: Promise<void> | null = null;

  function listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        const reason = error.code === 'EADDRINUSE' ? 'is taken' : `cannot be had (${error.code})`;
        reject(new CastellanError('CONFIG_INVALID', `${variable} must be free: ${host}:${port} ${reason}.`));
      });
      server.listen(port, host, resolve);
    });
  }

  function url(): string {
    const { address, port: bound, family } = server.address() as AddressInfo;
    const reachable = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
    return `http://${family === 'IPv6' && reachable.includes(':') ? `[${reachable}]` : reachable}:${bound}`;
  }

  return {
    draining: draining.signal,
    onRequest(handler) {
      server.on('request', (req, res) => {
        if (draining.signal.aborted) res.setHeader('Connection', 'close');
        handler(req, res);
      });
    },
    listen,
    url,
    drain() {
      draining.abort();
      drained ??= close(server);
      return drained;
    },
  };
}

/** A connection whose last answer was under way when the drain began becomes idle later: looked for until all are gone. */
function close(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), DRAIN_GRACE_MS);
    const sweep = setInterval(() => server.closeIdleConnections(), DRAIN_SWEEP_MS);
    server.close(() => {
      clearTimeout(force);
      clearInterval(sweep);
      resolve();
    });
    server.closeIdleConnections();
  });
}
