import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedRequest {
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** monotonic, ms */
  at: number;
}

export interface HttpReceiver {
  url: string;
  port: number;
  received: ReceivedRequest[];
  /** TCP connections that were accepted */
  connections(): number;
  /** What to answer from now on, once the body is there. */
  answer(fn: (res: ServerResponse, request: ReceivedRequest) => void): void;
  close(): Promise<void>;
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** A real HTTP server on loopback that notes what it gets; answers 200 until told otherwise. */
export async function httpReceiver(): Promise<HttpReceiver> {
  const received: ReceivedRequest[] = [];
  let connections = 0;
  let answer = (res: ServerResponse, _request: ReceivedRequest): void => void res.end('ok');
  const server = createServer(async (req, res) => {
    res.on('error', () => undefined);
    const body = await bodyOf(req).catch(() => null);
    if (body === null) return;
    const request = { url: req.url ?? '', headers: req.headers, body, at: performance.now() };
    received.push(request);
    answer(res, request);
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    port,
    received,
    connections: () => connections,
    answer(fn) {
      answer = fn;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
